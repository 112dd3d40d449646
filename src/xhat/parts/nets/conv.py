"""Convolutional net: halves an image stage by stage, and doubles it back by interpolation."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.nets._blocks import activation, started

WHO = "nets/conv"


class ConvEncoder(Encoder):
    """Convolutions of stride 2, then a linear map; any image size, odd ones too.

    Parameters
    ----------
    in_shape : tuple of int
        (C, H, W).
    out_shape : tuple of int
        Of a flat encoding, (H,), or of a spatial one, (C', H', W'), whose grid is that of the last stage.
    widths : tuple of int, optional
        Channels of each stage. By default 32, doubled at each stage up to 256, with as many stages as leave
        4 to 7 pixels on the short side.
    activation : str, default="silu"
        Between layers: relu, gelu, silu, elu, tanh or sigmoid.
    """

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        widths: tuple[int, ...] | None = None,
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = _image(in_shape), as_shape(out_shape, WHO)
        self.widths, self.activation = widths, activation
        channels = [self.in_shape[0], *stages(self.in_shape, widths)]
        grid = grids(self.in_shape, len(channels) - 1)[-1]
        self.stages = nn.Sequential(*(_halve(n, m, activation) for n, m in pairwise(channels)))
        self.head = _head(channels[-1], grid, self.out_shape)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B *H"]:
        """Encode images."""
        return self.head(self.stages(x))

    @classmethod
    def example(cls) -> Self:
        """Encode two-channel images of an odd size."""
        return cls((2, 9, 7), (3,), widths=(4, 8))


class ConvDecoder(Decoder):
    """A linear map, then interpolation to each stage's size and a convolution.

    Interpolation and not a transposed convolution: it meets any size and leaves no checkerboard.

    Parameters
    ----------
    in_shape : tuple of int
        Of a flat code (Z,), or of a spatial one (C', H', W').
    out_shape : tuple of int
        (C, H, W).
    widths : tuple of int, optional
        As the encoder's, from the data's side to the code's.
    activation : str, default="silu"
        As the encoder's.

    References
    ----------
    Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016.
    """

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        widths: tuple[int, ...] | None = None,
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), _image(out_shape)
        self.widths, self.activation = widths, activation
        channels = stages(self.out_shape, widths)[::-1]
        self.grids = grids(self.out_shape, len(channels))[::-1]
        self.foot = _foot(self.in_shape, channels[0], self.grids[0])
        self.stages = nn.ModuleList(_widen(n, m, activation) for n, m in pairwise(channels))
        self.head = started(nn.Conv2d(channels[-1], self.out_shape[0], 3, padding=1), gain=1.0)

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B C H W"]:
        """Decode codes to images of parameters."""
        h = self.foot(z)  # (B, C_n, H_n, W_n)
        for stage, grid in zip(self.stages, self.grids[1:-1], strict=True):
            h = stage(interpolate(h, size=grid))
        return self.head(interpolate(h, size=self.grids[-1]))

    @classmethod
    def example(cls) -> Self:
        """Decode to two-channel images of an odd size."""
        return cls((3,), (2, 9, 7), widths=(4, 8))


def stages(shape: Shape, widths: tuple[int, ...] | None) -> list[int]:
    """Give the channels of each stage for images of `shape`."""
    short = min(shape[1:])
    if widths is None:
        count = max((short // 4).bit_length() - 1, 1)
        return [min(32 * 2**i, 256) for i in range(count)]
    require(
        bool(widths) and min(widths) >= 1,
        WHO,
        "widths must be one or more numbers >= 1",
        widths,
        "as (32, 64)",
    )
    require(
        short >= 2 ** (len(widths) - 1) + 1 or len(widths) == 1,
        WHO,
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


def _image(shape: Shape) -> Shape:
    require(
        len(shape) == 3,
        WHO,
        "needs images of shape (C, H, W)",
        f"rows of shape {tuple(shape)}",
        "use nets/mlp, which takes any shape",
        error=ShapeError,
    )
    return as_shape(shape, WHO)


def _halve(n: int, m: int, act: str) -> nn.Sequential:
    return nn.Sequential(started(nn.Conv2d(n, m, 3, stride=2, padding=1)), activation(act, WHO))


def _widen(n: int, m: int, act: str) -> nn.Sequential:
    return nn.Sequential(started(nn.Conv2d(n, m, 3, padding=1)), activation(act, WHO))


def _head(channels: int, grid: tuple[int, int], out_shape: Shape) -> nn.Module:
    if len(out_shape) == 3:
        _check_grid(out_shape, grid)
        return started(nn.Conv2d(channels, out_shape[0], 1), gain=1.0)
    out = started(nn.Linear(channels * size(grid), size(out_shape)), gain=1.0)
    return nn.Sequential(nn.Flatten(), out, nn.Unflatten(1, out_shape))


def _foot(in_shape: Shape, channels: int, grid: tuple[int, int]) -> nn.Module:
    if len(in_shape) == 3:
        _check_grid(in_shape, grid)
        return started(nn.Conv2d(in_shape[0], channels, 1))
    foot = started(nn.Linear(size(in_shape), channels * size(grid)))
    return nn.Sequential(nn.Flatten(), foot, nn.Unflatten(1, (channels, *grid)))


def _check_grid(code: Shape, grid: tuple[int, int]) -> None:
    require(
        code[1:] == grid,
        WHO,
        f"a spatial code must have the last stage's grid {grid}",
        code[1:],
        "change the code's shape or the number of widths",
        error=ShapeError,
    )
