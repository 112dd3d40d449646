"""The U-net's paths down and up, and the denoiser that joins them with skips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from xhat.core.component import Component
from xhat.core.errors import require
from xhat.parts.nets._blocks import activation, last_layer, started

WHO = "nets/unet"


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


class Down(nn.Module):
    """Residual blocks at each level, and a 2 x 2 convolution of stride 2 to the next."""

    def __init__(self, widths: Sequence[int], blocks: int, act: str, *, bias: bool = True) -> None:
        super().__init__()
        self.levels = nn.ModuleList(_residuals(n, blocks, act, bias) for n in widths)
        self.steps = nn.ModuleList(
            started(nn.Conv2d(n, m, 2, stride=2, bias=bias), gain=1.0) for n, m in pairwise(widths)
        )

    def forward(self, h: Float[Tensor, "B C H W"]) -> list[Tensor]:
        """Give what each level says, the finest first; H and W must be multiples of the stride."""
        said = [self.levels[0](h)]
        for step, level in zip(self.steps, self.levels[1:], strict=True):
            said.append(level(step(said[-1])))
        return said


class Up(nn.Module):
    """The mirror of `Down`: a transposed 2 x 2 convolution to each finer level, and residual blocks there."""

    def __init__(self, widths: Sequence[int], blocks: int, act: str, *, bias: bool = True) -> None:
        super().__init__()
        self.levels = nn.ModuleList(_residuals(n, blocks, act, bias) for n in widths[-2::-1])
        self.steps = nn.ModuleList(
            started(nn.ConvTranspose2d(n, m, 2, stride=2, bias=bias), gain=1.0) for n, m in pairwise(widths[::-1])
        )

    def forward(self, h: Float[Tensor, "B C H W"], skips: Sequence[Tensor] = ()) -> Tensor:
        """Go from the coarsest level to the finest; `skips`, the finest first, are added where they are given."""
        for i, (step, level) in enumerate(zip(self.steps, self.levels, strict=True)):
            h = step(h)
            h = level(h + skips[-1 - i] if skips else h)
        return h


def mirrored(x: Float[Tensor, "B C H W"], stride: int) -> Tensor:
    """Extend images below and to the right to multiples of `stride`, by reflection without the edge itself."""
    height, width = x.shape[-2:]
    if height % stride == 0 and width % stride == 0:
        return x
    rows, columns = _reflection(height, stride, x.device), _reflection(width, stride, x.device)
    return x[..., rows[:, None], columns]


def _reflection(n: int, stride: int, device: torch.device) -> Tensor:
    # Indices and not torch's padding: that one refuses to reflect further than the image reaches.
    there_and_back = max(2 * n - 2, 1)
    at = torch.arange(-(-n // stride) * stride, device=device) % there_and_back
    return torch.minimum(at, there_and_back - at)


class _Residual(nn.Module):
    """h + W₂ a(W₁ h): without normalisation, so that it is homogeneous where it has no biases."""

    def __init__(self, channels: int, act: str, bias: bool) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            started(nn.Conv2d(channels, channels, 3, padding=1, bias=bias)),
            activation(act, WHO),
            # Near the identity at first: nothing else keeps the sum from growing with depth.
            started(nn.Conv2d(channels, channels, 3, padding=1, bias=bias), gain=0.1),
        )

    def forward(self, h: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        return h + self.branch(h)


def _residuals(channels: int, blocks: int, act: str, bias: bool) -> nn.Sequential:
    return nn.Sequential(*(_Residual(channels, act, bias) for _ in range(blocks)))
