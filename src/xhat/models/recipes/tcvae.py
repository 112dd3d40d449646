"""Total-correlation variational autoencoder: the code's dimensions are pressed to be independent."""

from __future__ import annotations

from typing import Any

from xhat.core.schedule import Coefficient
from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.tc import TC


def tcvae(shape: Shape, *, latent: int = 16, beta: Coefficient = 6.0, **choices: Any) -> Recipe:
    """Total-correlation variational autoencoder: the code's dimensions are pressed to be independent.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    beta : float or Schedule, default=6.0
        Weight of the total correlation.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Chen et al., "Isolating Sources of Disentanglement in Variational Autoencoders", NeurIPS 2018.
    """
    model = assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, **choices)
    return Recipe(model, TC(beta))
