"""Sparse autoencoder whose rows take k words of the dictionary on average, some more and some fewer."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import Net, assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.batch_topk import BatchTopK
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.revival import Revival


def sae_batch(shape: Shape, *, latent: int = 512, k: int | None = None, net: Net = "linear", **choices: Any) -> Recipe:
    """Sparse autoencoder whose rows take k words of the dictionary on average, some more and some fewer.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=512
        Words of the dictionary, several times a row's elements.
    k : int, optional
        Active units a row, on average: by default 16, of a small dictionary a quarter. Elsewhere it is
        ``bottleneck.k``.
    net : str or pair, default="linear"
        Of a linear decoder, the words are its columns.
    **choices
        ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Bussmann et al., "BatchTopK Sparse Autoencoders", 2024.
    """
    k = min(16, max(1, latent // 4)) if k is None else k
    model = assemble(shape, lambda code: BatchTopK(code, k), Gaussian(learned=True), latent=latent, net=net, **choices)
    return Recipe(model, Revival())
