"""Regularised autoencoder: short codes, small decoder weights, and a prior that is fitted afterwards."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.rae import RAE


def rae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Regularised autoencoder: short codes, small decoder weights, and a prior that is fitted afterwards.

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
    Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020: RAE-L2.
    """
    # A fine scale from the start: at a coarse one the copy counts for little, and the codes are pressed flat first.
    return Recipe(assemble(shape, Plain, Gaussian(0.1, learned=True), latent=latent, **choices), RAE())
