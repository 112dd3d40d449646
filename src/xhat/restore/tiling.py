"""Tiling: a function of images of any size in flat memory, without seams."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def tiled(
    f: Callable[[Tensor], Tensor],
    x: Tensor,
    tile: int,
    margin: int,
    stride: int = 8,
    watch: Callable[[int, int], object] | None = None,
) -> Tensor:
    """Apply `f` tile by tile, each with a margin that is then cut off.

    Where the margin is at least as far as `f` sees, the answer is that of the whole image.

    Parameters
    ----------
    f : callable
        From images (B, C, H, W) to images of the same size.
    x : Tensor of shape (B, C, H, W)
        Images.
    tile : int
        Side of what a tile gives; raised to a multiple of `stride`.
    margin : int
        Pixels around it that `f` sees as well; raised likewise.
    stride : int, default=8
        Tiles begin at multiples of it: where nets reduce an image, they group pixels by their place.
    watch : callable, optional
        Called after each tile with how many are done and how many there are.
    """
    tile, margin = (-(-n // stride) * stride for n in (tile, margin))
    height, width = x.shape[-2:]
    if height <= tile + 2 * margin and width <= tile + 2 * margin:
        return f(x)
    out = torch.empty_like(x)
    corners = [(top, left) for top in range(0, height, tile) for left in range(0, width, tile)]
    for done, (top, left) in enumerate(corners, 1):
        above, before = max(top - margin, 0), max(left - margin, 0)
        bottom, right = min(top + tile, height), min(left + tile, width)
        part = f(x[..., above : bottom + margin, before : right + margin].contiguous())
        out[..., top:bottom, left:right] = part[..., top - above : bottom - above, left - before : right - before]
        if watch is not None:
            watch(done, len(corners))
    return out
