"""Wasserstein autoencoder: codes as a whole are matched to the prior by maximum mean discrepancy."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.mmd import MMD


def wae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Wasserstein autoencoder: codes as a whole are matched to the prior by maximum mean discrepancy.

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
    Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018, algorithm 2.
    """
    return Recipe(assemble(shape, Plain, Gaussian(learned=True), latent=latent, **choices), MMD())
