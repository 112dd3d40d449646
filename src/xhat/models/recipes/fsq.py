"""Autoencoder with finite scalar quantisation: each number of the code takes a few fixed values."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.quantised import quantised
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.fsq import FSQ


def fsq(shape: Shape, *, latent: int = 16, levels: tuple[int, ...] = (8, 5, 5, 5), **choices: Any) -> Recipe:
    """Autoencoder with finite scalar quantisation: each number of the code takes a few fixed values.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions, a multiple of the number of levels; of a spatial code, at every place of its grid.
    levels : tuple of int, default=(8, 5, 5, 5)
        How many values the numbers of each vector take.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple", ICLR 2024.
    """

    def bottleneck(code_shape: Shape) -> FSQ:
        return FSQ(code_shape, levels)

    def groups(code_shape: Shape) -> int:
        return code_shape[0] // len(levels)

    return quantised(shape, bottleneck, groups, latent=latent, **choices)
