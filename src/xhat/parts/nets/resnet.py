"""Residual net: blocks with group normalisation between its halvings; for images up to 256 x 256."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from xhat.core.decoder import Decoder
from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape
from xhat.parts.nets._blocks import activation, started
from xhat.parts.nets._grids import foot, grids, head, image, stages
from xhat.parts.nets._staged import StagedEncoder

WHO = "nets/resnet"
# Half of nets/conv's: a stage here has three convolutions and not one.
NARROWEST = 16


class ResNetEncoder(StagedEncoder):
    r"""Stages of a convolution of stride 2 and residual blocks, then a linear map; any image size.

    .. math:: h \leftarrow h + W_2\, a(n_2(W_1\, a(n_1(h))))

    with group norms :math:`n`, activation :math:`a` and 3 x 3 convolutions :math:`W`. A row is normalised by itself,
    whatever its batch.

    Parameters
    ----------
    in_shape : tuple of int
        (C, H, W).
    out_shape : tuple of int
        Of a flat encoding, (H,), or of a spatial one, (C', H', W'), whose grid is that of the last stage.
    widths : tuple of int, optional
        Channels of each stage. By default 16, doubled at each stage up to 256, with as many stages as leave
        4 to 8 pixels on the short side.
    blocks : int, default=1
        Residual blocks of each stage. Must be >= 1.
    activation : str, default="silu"
        Between layers: relu, gelu, silu, elu, tanh or sigmoid.

    References
    ----------
    He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016; Wu and He, "Group Normalization", ECCV 2018.
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
        channels = [self.in_shape[0], *stages(self.in_shape, widths, WHO, narrowest=NARROWEST)]
        grid = grids(self.in_shape, len(channels) - 1)[-1]
        self.stages = nn.Sequential(*(_stage(n, m, blocks, activation) for n, m in pairwise(channels)))
        # Not normalised before the head: how bright a row is must reach its code.
        self.head = nn.Sequential(_act(activation), head(channels[-1], grid, self.out_shape, WHO))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B *H"]:
        """Encode images."""
        return self.head(self.stages(x))


class ResNetDecoder(Decoder):
    """A linear map, then stages of residual blocks, a convolution and interpolation to the next size.

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

    References
    ----------
    Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
    Network", CVPR 2016, for the last layer.
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
        channels = stages(self.out_shape, widths, WHO, narrowest=NARROWEST)[::-1]
        self.grids = grids(self.out_shape, len(channels))[::-1]
        self.foot = foot(self.in_shape, channels[0], self.grids[0], WHO)
        self.stages = nn.ModuleList(_residuals(n, blocks, activation) for n in channels)
        # Before the interpolation, where there are a quarter of the pixels; the next block smooths what it leaves.
        self.steps = nn.ModuleList(started(nn.Conv2d(n, m, 3, padding=1), gain=1.0) for n, m in pairwise(channels))
        self.act = _act(activation)
        # Four values for each pixel of the last grid, laid out as 2 x 2 pixels: a full-size layer would cost the most.
        # Small at the start, so that training begins near the mean and not with noise to unlearn.
        self.head = started(nn.Conv2d(channels[-1], 4 * self.out_shape[0], 3, padding=1), gain=0.1)

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B C H W"]:
        """Decode codes to images of parameters."""
        h = self.stages[0](self.foot(z))  # (B, C_n, H_n, W_n)
        for step, stage, grid in zip(self.steps, self.stages[1:], self.grids[1:-1], strict=True):
            h = stage(interpolate(step(h), size=grid))
        height, width = self.grids[-1]
        return pixel_shuffle(self.head(self.act(h)), 2)[..., :height, :width]

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.head

    @classmethod
    def example(cls) -> Self:
        """Decode to two-channel images of an odd size."""
        return cls((3,), (2, 9, 7), widths=(4, 8))


class _Residual(nn.Module):
    """h + W₂ a(n₂(W₁ a(n₁(h))))."""

    def __init__(self, channels: int, act: str) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            _norm(channels),
            activation(act, WHO),
            started(nn.Conv2d(channels, channels, 3, padding=1, bias=False)),
            _norm(channels),
            activation(act, WHO),
            # Near the identity at first, so that depth costs nothing; not at it, where the first layer learns nothing.
            started(nn.Conv2d(channels, channels, 3, padding=1), gain=0.1),
        )

    def forward(self, h: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        return h + self.branch(h)


def _residuals(channels: int, blocks: int, act: str) -> nn.Sequential:
    return nn.Sequential(*(_Residual(channels, act) for _ in range(blocks)))


def _stage(n: int, m: int, blocks: int, act: str) -> nn.Sequential:
    down = started(nn.Conv2d(n, m, 3, stride=2, padding=1), gain=1.0)
    return nn.Sequential(down, *_residuals(m, blocks, act))


def _norm(channels: int) -> nn.GroupNorm:
    # At least 4 channels a group: alone on a grid of one pixel, a channel less its mean is nothing.
    groups = next(g for g in range(min(8, max(channels // 4, 1)), 0, -1) if channels % g == 0)
    return nn.GroupNorm(groups, channels)


def _act(name: str) -> nn.Module:
    return activation(name, WHO)


def _checked(blocks: int) -> int:
    require(blocks >= 1, WHO, "blocks must be >= 1", blocks, "use nets/conv for a net without residual blocks")
    return blocks
