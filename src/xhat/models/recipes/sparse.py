"""Sparse autoencoder: rectified units that pay for how loud they are."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.rectified import Rectified
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.sparse import Sparse


def sparse(shape: Shape, *, latent: int = 64, **choices: Any) -> Recipe:
    """Sparse autoencoder: rectified units that pay for how loud they are.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=64
        Units of the code: several times as many as speak at a time.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Olshausen and Field, Nature 1996, for the penalty.
    """
    # A fine scale from the start: at a coarse one the copy counts for little, and the codes are pressed flat first.
    return Recipe(assemble(shape, Rectified, Gaussian(0.1, learned=True), latent=latent, **choices), Sparse())
