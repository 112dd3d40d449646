"""U-net: the paths down and up of a restoration net, with a code between them, or joined by skips as a denoiser."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from xhat.core.component import Component
from xhat.core.decoder import Decoder
from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape
from xhat.parts.nets._blocks import last_layer, started
from xhat.parts.nets._grids import foot, grids, head, image, stages
from xhat.parts.nets._staged import StagedEncoder
from xhat.parts.nets._unet import WHO, Down, Up, mirrored

# Half of nets/conv's: a level here has three convolutions and not one.
NARROWEST = 16


class UNetEncoder(StagedEncoder):
    """The path down: 2 x 2 pixels become channels, then levels of residual blocks, without normalisation.

    Parameters
    ----------
    in_shape : tuple of int
        (C, H, W); any size: it is mirrored at its edge up to a multiple of the stride.
    out_shape : tuple of int
        Of a flat encoding, (H,), or of a spatial one, (C', H', W'), whose grid is that of the last level.
    widths : tuple of int, optional
        Channels of each level, the first at half the image's resolution. By default 16, doubled at each level up
        to 256, with as many levels as leave 4 to 8 pixels on the short side.
    blocks : int, default=1
        Residual blocks of each level. Must be >= 1.
    activation : str, default="silu"
        Inside the blocks: relu, gelu, silu, elu, tanh or sigmoid.

    References
    ----------
    Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015.
    """

    who = WHO

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        widths: tuple[int, ...] | None = None,
        blocks: int = 1,
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = image(in_shape, WHO), as_shape(out_shape, WHO)
        self.widths, self.blocks, self.activation = widths, _checked(blocks), activation
        channels = stages(self.in_shape, widths, WHO, narrowest=NARROWEST)
        self.stride = 2 ** len(channels)
        self.foot = started(nn.Conv2d(4 * self.in_shape[0], channels[0], 3, padding=1), gain=1.0)
        self.down = Down(channels, blocks, activation)
        self.head = head(channels[-1], grids(self.in_shape, len(channels))[-1], self.out_shape, WHO)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B *H"]:
        """Encode images."""
        h = pixel_unshuffle(mirrored(x, self.stride), 2)  # (B, 4C, H_1, W_1)
        return self.head(self.down(self.foot(h))[-1])


class UNetDecoder(Decoder):
    """The path up, from the code alone; what reaches past the image is cropped.

    Parameters
    ----------
    in_shape : tuple of int
        Of a flat code (Z,), or of a spatial one (C', H', W').
    out_shape : tuple of int
        (C, H, W).
    widths : tuple of int, optional
        As the encoder's, from the data's side to the code's.
    blocks : int, default=1
        As the encoder's.
    activation : str, default="silu"
        As the encoder's.
    """

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        widths: tuple[int, ...] | None = None,
        blocks: int = 1,
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), image(out_shape, WHO)
        self.widths, self.blocks, self.activation = widths, _checked(blocks), activation
        channels = stages(self.out_shape, widths, WHO, narrowest=NARROWEST)
        self.foot = foot(self.in_shape, channels[-1], grids(self.out_shape, len(channels))[-1], WHO)
        self.up = Up(channels, blocks, activation)
        # A small start: nothing in the path up normalises, and its own noise would be the first thing to unlearn.
        self.head = started(nn.Conv2d(channels[0], 4 * self.out_shape[0], 3, padding=1), gain=0.1)

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B C H W"]:
        """Decode codes to images of parameters."""
        _, height, width = self.out_shape
        return pixel_shuffle(self.head(self.up(self.foot(z))), 2)[..., :height, :width]

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.head

    @classmethod
    def example(cls) -> Self:
        """Decode to two-channel images of an odd size."""
        return cls((3,), (2, 9, 7), widths=(4, 8))


def _checked(blocks: int) -> int:
    require(blocks >= 1, WHO, "blocks must be >= 1", blocks, "use nets/conv for a net without residual blocks")
    return blocks


class UNet(Component):
    r"""A denoiser of images of any height and width, told how strong the noise is.

    .. math:: \hat x = D(x, \sigma) = x + U(x, \sigma)

    Without biases and with relu every layer is homogeneous, and so is the whole:
    :math:`D(a x, a \sigma) = a D(x, \sigma)` for :math:`a \ge 0`. It then holds at strengths that it never saw.

    Parameters
    ----------
    channels : int
        C of the images.
    widths : tuple of int, default=(32, 64, 128)
        Channels of each level. The first level has half the image's resolution, each further one half the one's
        before it.
    blocks : int, default=2
        Residual blocks of each level, down and up. Must be >= 1.
    activation : str, default="relu"
        Between layers; without biases it must be relu.
    bias_free : bool, default=True
        Whether the net has no additive constants.

    References
    ----------
    Mohan et al., "Robust and Interpretable Blind Image Denoising via Bias-Free Convolutional Neural Networks",
    ICLR 2020; Zhang et al., "FFDNet", TIP 2018, for the map of sigma and the sub-images; Zhang et al., "Plug-and-Play
    Image Restoration with Deep Denoiser Prior", TPAMI 2021, for residual blocks in a U-net.
    """

    def __init__(
        self,
        channels: int,
        *,
        widths: tuple[int, ...] = (32, 64, 128),
        blocks: int = 2,
        activation: str = "relu",
        bias_free: bool = True,
    ) -> None:
        super().__init__()
        require(channels >= 1, WHO, "channels must be >= 1", channels, "use 1 for gray images and 3 for colour")
        require(
            bool(widths) and min(widths) >= 1, WHO, "widths must be one or more numbers >= 1", widths, "as (32, 64)"
        )
        require(blocks >= 1, WHO, "blocks must be >= 1", blocks, "use 2")
        require(
            not bias_free or activation == "relu",
            WHO,
            "a bias-free net needs activation 'relu', the homogeneous one",
            f"'{activation}'",
            "or use bias_free=False",
        )
        self.channels, self.widths, self.blocks = channels, widths, blocks
        self.activation, self.bias_free = activation, bias_free
        bias = not bias_free
        self.foot = started(nn.Conv2d(4 * channels + 1, widths[0], 3, padding=1, bias=bias), gain=1.0)
        self.down = Down(widths, blocks, activation, bias=bias)
        self.up = Up(widths, blocks, activation, bias=bias)
        # A small start: x̂ = x is a fair denoiser, noise on top of it is not.
        self.head = started(nn.Conv2d(widths[0], 4 * channels, 3, padding=1, bias=bias), gain=0.01)

    def forward(self, x: Float[Tensor, "B C H W"], sigma: Float[Tensor, "B"]) -> Float[Tensor, "B C H W"]:
        """Denoise images whose noise has the standard deviations sigma, in the images' own units."""
        height, width = x.shape[-2:]
        h = pixel_unshuffle(mirrored(x, 2 ** len(self.widths)), 2)  # (B, 4C, H/2, W/2)
        told = sigma[:, None, None, None].expand(-1, 1, *h.shape[-2:])
        levels = self.down(self.foot(torch.cat([h, told], 1)))
        h = self.up(levels[-1], levels[:-1])
        return x + pixel_shuffle(self.head(h), 2)[..., :height, :width]

    @property
    def last(self) -> nn.Module:
        """The last layer with weights: at zero, x̂ = x."""
        return last_layer(self.head)

    @classmethod
    def example(cls) -> Self:
        """Denoise two-channel images by a small net."""
        return cls(2, widths=(4, 8), blocks=1)
