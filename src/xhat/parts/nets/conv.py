"""Convolutional net: halves an image stage by stage, and doubles it back by interpolation."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from xhat.core.decoder import Decoder
from xhat.core.shapes import Shape, as_shape
from xhat.parts.nets._blocks import activation, last_layer, started
from xhat.parts.nets._grids import foot, grids, image, stages
from xhat.parts.nets._staged import HalvingEncoder

WHO = "nets/conv"


class ConvEncoder(HalvingEncoder):
    """Convolutions of stride 2, then a linear map; any image size, odd ones too.

    Parameters
    ----------
    in_shape : tuple of int
        (C, H, W).
    out_shape : tuple of int
        Of a flat encoding, (H,), or of a spatial one, (C', H', W'), whose grid is that of the last stage.
    widths : tuple of int, optional
        Channels of each stage. By default 32, doubled at each stage up to 256, with as many stages as leave
        4 to 8 pixels on the short side.
    activation : str, default="silu"
        Between layers: relu, gelu, silu, elu, tanh or sigmoid.
    """

    who = WHO


class ConvDecoder(Decoder):
    """A linear map, then a convolution and an interpolation to the next size for each stage.

    Interpolation and not a transposed convolution: it meets any size and leaves no checkerboard. Convolutions come
    before it, where there are a quarter of the pixels; the last one gives four values for each pixel of the last
    grid, laid out as 2 x 2.

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
    Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016. Shi et al., "Real-Time Single Image and
    Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016, for the last layer.
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
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), image(out_shape, WHO)
        self.widths, self.activation = widths, activation
        channels = stages(self.out_shape, widths, WHO)[::-1]
        self.grids = grids(self.out_shape, len(channels))[::-1]
        self.foot = foot(self.in_shape, channels[0], self.grids[0], WHO)
        self.stages = nn.ModuleList(_widen(n, m, activation) for n, m in pairwise(channels))
        self.head = started(nn.Conv2d(channels[-1], 4 * self.out_shape[0], 3, padding=1), gain=0.1)

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B C H W"]:
        """Decode codes to images of parameters."""
        h = self.foot(z)  # (B, C_n, H_n, W_n)
        for stage, grid in zip(self.stages, self.grids[1:-1], strict=True):
            h = interpolate(stage(h), size=grid)
        height, width = self.grids[-1]
        return pixel_shuffle(self.head(h), 2)[..., :height, :width]

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return last_layer(self.head)

    @classmethod
    def example(cls) -> Self:
        """Decode to two-channel images of an odd size."""
        return cls((3,), (2, 9, 7), widths=(4, 8))


def _widen(n: int, m: int, act: str) -> nn.Sequential:
    return nn.Sequential(started(nn.Conv2d(n, m, 3, padding=1)), activation(act, WHO))
