"""Sparse autoencoder by rates: sigmoid units that are each active for a small share of the rows."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.sigmoid import Sigmoid
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.sparse_kl import SparseKL


def sparse_kl(shape: Shape, *, latent: int = 64, **choices: Any) -> Recipe:
    """Sparse autoencoder by rates: sigmoid units that are each active for a small share of the rows.

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
    Ng, "Sparse autoencoder", CS294A lecture notes, 2011.
    """
    # A fine scale from the start: at a coarse one the copy counts for little, and the codes are pressed flat first.
    return Recipe(assemble(shape, Sigmoid, Gaussian(0.1, learned=True), latent=latent, **choices), SparseKL())
