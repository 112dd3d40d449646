"""What nets over images share: the grids of their stages, and the ways between a grid and a code."""

from __future__ import annotations

from torch import nn

from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.nets._blocks import started

WIDEST = 256


def image(shape: Shape, who: str) -> Shape:
    """Read the shape of an image, (C, H, W).

    Raises
    ------
    ShapeError
        When it has another number of axes.
    """
    require(
        len(shape) == 3,
        who,
        "needs images of shape (C, H, W)",
        f"rows of shape {tuple(shape)}",
        "use nets/mlp, which takes any shape",
        error=ShapeError,
    )
    return as_shape(shape, who)


def stages(shape: Shape, widths: tuple[int, ...] | None, who: str, *, narrowest: int = 32) -> list[int]:
    """Give the channels of each stage, which halves images of `shape`.

    Without `widths`: `narrowest`, doubled at each stage up to 256, with as many stages as leave 4 to 8 pixels on
    the short side.

    Raises
    ------
    ConfigError, ShapeError
        When `widths` are no widths, or more than the image can be halved.
    """
    short = min(shape[1:])
    if widths is None:
        count = max((short // 4).bit_length() - 1, 1)
        return [min(narrowest * 2**i, WIDEST) for i in range(count)]
    require(
        bool(widths) and min(widths) >= 1,
        who,
        "widths must be one or more numbers >= 1",
        widths,
        "as (32, 64)",
    )
    require(
        short >= 2 ** (len(widths) - 1) + 1 or len(widths) == 1,
        who,
        f"{len(widths)} stages of stride 2 need images of at least {2 ** (len(widths) - 1) + 1} pixels a side",
        tuple(shape[1:]),
        "use fewer widths",
        error=ShapeError,
    )
    return list(widths)


def grids(shape: Shape, count: int) -> list[tuple[int, int]]:
    """Give the sizes (H, W) before the first stage and after each of `count`."""
    sizes = [(shape[1], shape[2])]
    for _ in range(count):
        height, width = sizes[-1]
        sizes.append(((height + 1) // 2, (width + 1) // 2))
    return sizes


def head(channels: int, grid: tuple[int, int], out_shape: Shape, who: str) -> nn.Module:
    """Make the way from the last grid, (B, channels, *grid), to an encoding, flat or spatial."""
    if len(out_shape) == 3:
        _check_grid(out_shape, grid, who)
        return started(nn.Conv2d(channels, out_shape[0], 1), gain=1.0)
    out = started(nn.Linear(channels * size(grid), size(out_shape)), gain=1.0)
    return nn.Sequential(nn.Flatten(), out, nn.Unflatten(1, out_shape))


def foot(in_shape: Shape, channels: int, grid: tuple[int, int], who: str) -> nn.Module:
    """Make the way from a code, flat or spatial, to the first grid, (B, channels, *grid)."""
    if len(in_shape) == 3:
        _check_grid(in_shape, grid, who)
        return started(nn.Conv2d(in_shape[0], channels, 1))
    out = started(nn.Linear(size(in_shape), channels * size(grid)))
    return nn.Sequential(nn.Flatten(), out, nn.Unflatten(1, (channels, *grid)))


def _check_grid(code: Shape, grid: tuple[int, int], who: str) -> None:
    require(
        code[1:] == grid,
        who,
        f"a spatial code must have the last stage's grid {grid}",
        code[1:],
        "change the code's shape or the number of widths",
        error=ShapeError,
    )
