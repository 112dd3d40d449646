"""Residual-quantised autoencoder: each codebook quantises what the ones before it left."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.quantised import quantised, vectors_of
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.residual_vq import ResidualVQ


def rqvae(
    shape: Shape,
    *,
    latent: int = 16,
    entries: int = 256,
    levels: int = 4,
    groups: int | None = None,
    **choices: Any,
) -> Recipe:
    """Residual-quantised autoencoder: each codebook quantises what the ones before it left.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions; of a spatial code, at every place of its grid.
    entries : int, default=256
        Of each codebook.
    levels : int, default=4
        How many codebooks there are.
    groups : int, optional
        How many vectors the dimensions are. By default one at every place of a spatial code; of a flat one as many
        as leave them four numbers, or the next more that it divides into. By path, change ``bottleneck.groups`` and
        ``prior.groups`` together.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Lee et al., "Autoregressive Image Generation using Residual Quantization", CVPR 2022. Zeghidour et al.,
    "SoundStream", 2021.
    """

    def vectors(code_shape: Shape) -> int:
        return vectors_of(code_shape) if groups is None else groups

    def bottleneck(code_shape: Shape) -> ResidualVQ:
        return ResidualVQ(code_shape, entries, levels, groups=vectors(code_shape))

    return quantised(shape, bottleneck, vectors, latent=latent, **choices)
