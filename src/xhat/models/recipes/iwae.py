"""Importance-weighted autoencoder: a bound of k draws a row, tighter than the evidence lower bound."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.iwae import IWAE


def iwae(shape: Shape, *, latent: int = 16, k: int = 5, **choices: Any) -> Recipe:
    """Importance-weighted autoencoder: a bound of k draws a row, tighter than the evidence lower bound.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    k : int, default=5
        Draws a row; a step costs k passes of the decoder.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Burda et al., "Importance Weighted Autoencoders", ICLR 2016. Tucker et al., "Doubly Reparameterized Gradient
    Estimators for Monte Carlo Objectives", ICLR 2019, for the gradient.
    """
    model = assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, **choices)
    return Recipe(model, IWAE(k))
