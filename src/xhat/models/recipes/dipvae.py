"""Disentangled inferred prior: a variational autoencoder whose codes' means are uncorrelated."""

from __future__ import annotations

from typing import Any

from xhat.core.schedule import Coefficient
from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.dip import DIP


def dipvae(shape: Shape, *, latent: int = 16, off_diagonal: Coefficient = 10.0, **choices: Any) -> Recipe:
    """Disentangled inferred prior: a variational autoencoder whose codes' means are uncorrelated.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    off_diagonal : float or Schedule, default=10.0
        Weight of the squared covariances; the variances count 100.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Kumar et al., "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations", ICLR 2018.
    """
    model = assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, **choices)
    return Recipe(model, DIP(off_diagonal))
