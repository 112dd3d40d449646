"""A denoiser as a pair: the code is the image as it came and how strong its noise is, the decoder is a U-net."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, as_shape
from xhat.parts.nets._grids import image
from xhat.parts.nets._noise_level import noise_level
from xhat.parts.nets.unet import UNet

WHO = "nets/denoiser"


class DenoiserEncoder(Encoder):
    r"""Lay beside an image a map of its noise's standard deviation.

    .. math:: h = [\tilde x, \sigma]

    Nothing is compressed: what such a model learns, it learns from noise. Where σ is not told it is estimated, so that
    a reconstruction of an image of unknown noise is that image denoised.

    Parameters
    ----------
    in_shape : tuple of int
        (C, H, W).
    out_shape : tuple of int
        (C + 1, H, W).
    """

    reads_noise = True

    def __init__(self, in_shape: Shape, out_shape: Shape) -> None:
        super().__init__()
        self.in_shape, self.out_shape = image(in_shape, WHO), as_shape(out_shape, WHO)
        _meet(self.in_shape, self.out_shape)

    def forward(self, x: Float[Tensor, "B C H W"], noise: Float[Tensor, "B"] | None = None) -> Tensor:
        """Encode images, whose noise is estimated where it is not told."""
        sigma = noise_level(x) if noise is None else noise
        return torch.cat([x, sigma[:, None, None, None].expand(-1, 1, *x.shape[-2:])], 1)  # (B, C + 1, H, W)

    @classmethod
    def grid(cls, in_shape: Shape) -> Shape:
        """Give the image's own grid."""
        return image(in_shape, WHO)[1:]

    @classmethod
    def example(cls) -> Self:
        """Encode two-channel images of an odd size."""
        return cls((2, 9, 7), (3, 9, 7))


class DenoiserDecoder(Decoder):
    r"""Denoise the image of a code.

    .. math:: \hat x = D(\tilde x, \sigma)

    Parameters
    ----------
    in_shape : tuple of int
        (C + 1, H, W): an image and the map of its noise, whose mean is σ.
    out_shape : tuple of int
        (C, H, W). Images of other sizes pass as well: the net is convolutional.
    widths, blocks
        Of `UNet`, which is D.
    """

    def __init__(
        self, in_shape: Shape, out_shape: Shape, *, widths: tuple[int, ...] = (48, 96, 192), blocks: int = 2
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), image(out_shape, WHO)
        _meet(self.out_shape, self.in_shape)
        self.widths, self.blocks = widths, blocks
        self.net = UNet(self.out_shape[0], widths=widths, blocks=blocks)
        # x̂ = x at first: where noise is weak, what random weights say on top would be hundreds of times worse.
        nn.init.zeros_(self.net.head.weight)

    def forward(self, z: Float[Tensor, "B C1 H W"]) -> Float[Tensor, "B C H W"]:
        """Denoise the images of codes."""
        return self.net(z[:, :-1], z[:, -1].flatten(1).mean(1))

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.net.last

    @classmethod
    def example(cls) -> Self:
        """Denoise two-channel images by a small net."""
        return cls((3, 9, 7), (2, 9, 7), widths=(4, 8), blocks=1)


def _meet(images: Shape, codes: Shape) -> None:
    rule = f"a code of images of shape {images} is the image and a map of its noise"
    hint = f"use the shape {(images[0] + 1, *images[1:])}: --code spatial, one number at a place more than channels"
    require(codes == (images[0] + 1, *images[1:]), WHO, rule, codes, hint, error=ShapeError)
