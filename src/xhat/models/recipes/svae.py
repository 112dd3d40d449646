"""Hyperspherical autoencoder: codes are directions, and every direction is as likely as another."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.sphere import Sphere
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.priors.uniform_sphere import UniformSphere


def svae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Hyperspherical autoencoder: codes are directions, and every direction is as likely as another.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Davidson et al., "Hyperspherical Variational Auto-Encoders", UAI 2018.
    """
    model = assemble(shape, Sphere, Gaussian(learned=True), latent=latent, prior=UniformSphere, **choices)
    return Recipe(model, BetaELBO())
