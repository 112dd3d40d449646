"""Sparse autoencoder: an overcomplete dictionary of which each row takes k words."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import Net, assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.topk import TopK
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.revival import Revival


def sae(shape: Shape, *, latent: int = 512, k: int | None = None, net: Net = "linear", **choices: Any) -> Recipe:
    """Sparse autoencoder: an overcomplete dictionary of which each row takes k words.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=512
        Words of the dictionary, several times a row's elements.
    k : int, optional
        Active units a row: by default 16, of a small dictionary a quarter. Elsewhere it is ``bottleneck.k``.
    net : str or pair, default="linear"
        Of a linear decoder, the words are its columns.
    **choices
        ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Gao et al., "Scaling and Evaluating Sparse Autoencoders", 2024.
    """
    k = min(16, max(1, latent // 4)) if k is None else k
    model = assemble(shape, lambda code: TopK(code, k), Gaussian(learned=True), latent=latent, net=net, **choices)
    return Recipe(model, Revival())
