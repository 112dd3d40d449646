"""Deconvolutional net: halves an image stage by stage, and doubles it back by transposed convolutions."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.decoder import Decoder
from xhat.core.shapes import Shape, as_shape
from xhat.parts.nets._blocks import activation, last_layer, started
from xhat.parts.nets._grids import foot, grids, image, stages
from xhat.parts.nets._staged import HalvingEncoder

WHO = "nets/deconv"


class DeconvEncoder(HalvingEncoder):
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


class DeconvDecoder(Decoder):
    """A linear map, then the encoder's convolutions transposed, from the last to the first.

    A transposed convolution is the adjoint of a convolution: less work than nets/conv's interpolation, since each
    multiplies at the smaller of its two sizes, but its overlaps can leave a checkerboard.

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
    Zeiler et al., "Deconvolutional Networks", CVPR 2010; Dumoulin and Visin, "A Guide to Convolution Arithmetic
    for Deep Learning", 2016, for the sizes.
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
        channels = [*stages(self.out_shape, widths, WHO)[::-1], self.out_shape[0]]
        sizes = grids(self.out_shape, len(channels) - 1)[::-1]
        self.foot = foot(self.in_shape, channels[0], sizes[0], WHO)
        self.stages = nn.Sequential(
            *(_double(n, m, grid, activation) for (n, m), grid in zip(pairwise(channels), sizes[1:], strict=True))
        )

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B C H W"]:
        """Decode codes to images of parameters."""
        return self.stages(self.foot(z))

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return last_layer(self.stages)

    @classmethod
    def example(cls) -> Self:
        """Decode to two-channel images of an odd size."""
        return cls((3,), (2, 9, 7), widths=(4, 8))


def _double(n: int, m: int, grid: tuple[int, int], act: str) -> nn.Sequential:
    # Kernel 4, stride 2, padding 1 turn i into 2i pixels; padding 2 and one more turn it into 2i - 1. Kernel 4 and
    # not the encoder's 3: where the stride divides the kernel, every pixel is met by equally many taps.
    padding = (1 + grid[0] % 2, 1 + grid[1] % 2)
    more = (grid[0] % 2, grid[1] % 2)
    step = started(nn.ConvTranspose2d(n, m, 4, stride=2, padding=padding, output_padding=more))
    return nn.Sequential(activation(act, WHO), step)
