"""The U-net's paths down and up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.parts.nets._blocks import activation, started

WHO = "nets/unet"


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
