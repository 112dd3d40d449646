"""Temporal net: dilated convolutions over a series, and soft windows between its steps and the code."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.nets._blocks import activation, started
from xhat.parts.nets._masks import check_mask, check_rows

WHO = "nets/temporal"
# Reach 255 steps to either side; what lies further meets in the windows.
DEEPEST = 8


class TemporalEncoder(Encoder):
    r"""Residual blocks of dilated convolutions, pooled by windows, then a linear map.

    .. math:: p_k = \sum_t w_{kt} h_t, \qquad
              w_{kt} \propto m_t \exp\left(q_k^\top h_t - \tfrac12 (t - c_k)^2 / s_k^2\right), \qquad
              \textstyle\sum_t w_{kt} = 1

    Attention by content alone forgets when a thing happened; each window also has a place :math:`c_k` and a width
    :math:`s_k`, both learned. :math:`m_t` is 1 for a valid step and 0 else: what stands in the others changes nothing.

    Parameters
    ----------
    in_shape : tuple of int
        (T, D): steps and features of each.
    out_shape : tuple of int
        Of an encoding; any number of axes.
    width : int, default=32
        Channels of every block. Must be >= 1.
    depth : int, optional
        Number of blocks, whose dilations are 1, 2, 4, …. By default as many as let the middle see the whole
        series, at most 8.
    windows : int, default=16
        K, the number of windows; more keep more of the order of steps. Must be >= 1.
    activation : str, default="silu"
        Inside the blocks: relu, gelu, silu, elu, tanh or sigmoid.

    References
    ----------
    Bai et al., "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling", 2018;
    Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate", ICLR 2015, for pooling.
    """

    reads_mask = True

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        width: int = 32,
        depth: int | None = None,
        windows: int = 16,
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = _series(in_shape), as_shape(out_shape, WHO)
        self.width, self.depth, self.windows, self.activation = width, depth, windows, activation
        _check(width, depth, windows)
        steps, features = self.in_shape
        self.foot = started(nn.Conv1d(features, width, 3, padding=1), gain=1.0)
        self.stack = _Stack(steps, width, depth, activation)
        self.places = _Windows(steps, windows)
        self.query = started(nn.Linear(width, windows, bias=False), gain=0.1)
        self.head = started(nn.Linear(windows * width, size(self.out_shape)), gain=1.0)

    def forward(self, x: Float[Tensor, "B T D"], mask: Bool[Tensor, "B *M"] | None = None) -> Float[Tensor, "B *H"]:
        """Encode series; `mask` is True where a step, or an entry of it, counts."""
        check_rows(x, self.in_shape, WHO)
        valid = None
        if mask is not None:
            check_mask(mask, x, WHO)
            entries = mask if mask.ndim == 3 else mask[:, :, None]
            # where, not a product: what does not count may be NaN, and NaN times 0 is NaN.
            x = torch.where(entries, x, 0.0)
            valid = entries.any(2).to(x.dtype)[:, None]  # (B, 1, T)
        h = self.stack(self.foot(x.mT), valid)  # (B, W, T)
        scores = self.query(h.mT).mT + self.places()  # (B, K, T)
        if valid is not None:
            scores = scores.masked_fill(valid == 0, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1)
        if valid is not None:
            weights = weights * valid  # a row without a valid step gives 0, as a row of zeros would not
        return self.head((weights @ h.mT).flatten(1)).unflatten(1, self.out_shape)

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.head

    def example_batch(self, n: int) -> Batch:
        """Make `n` random series, each shorter than the one before it."""
        lengths = self.in_shape[0] - torch.arange(n) % self.in_shape[0]
        return Batch(torch.rand(n, *self.in_shape), mask=torch.arange(self.in_shape[0]) < lengths[:, None])

    @classmethod
    def example(cls) -> Self:
        """Encode seven steps of two features."""
        return cls((7, 2), (3,), width=8, windows=4)


class TemporalDecoder(Decoder):
    r"""The mirror: the code fills K windows, each step reads those near it, and dilated convolutions do the rest.

    .. math:: h_t = e_t + \sum_k w_{kt} v_k(z), \qquad
              w_{kt} \propto \exp\left(-\tfrac12 (t - c_k)^2 / s_k^2\right), \qquad \textstyle\sum_k w_{kt} = 1

    with :math:`v(z)` linear and :math:`e_t` learned from the step's position in sines.

    Parameters
    ----------
    in_shape : tuple of int
        Of a code; any number of axes.
    out_shape : tuple of int
        (T, D) of the parameters.
    width, depth, windows, activation
        As the encoder's.
    """

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        width: int = 32,
        depth: int | None = None,
        windows: int = 16,
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), _series(out_shape)
        self.width, self.depth, self.windows, self.activation = width, depth, windows, activation
        _check(width, depth, windows)
        steps, features = self.out_shape
        self.foot = started(nn.Linear(size(self.in_shape), windows * width), gain=1.0)
        self.places = _Windows(steps, windows)
        self.positions: Tensor
        self.register_buffer("positions", _sines(steps, width), persistent=False)  # (T, W)
        self.place = started(nn.Linear(width, width), gain=1.0)
        self.stack = _Stack(steps, width, depth, activation)
        # Small at the start, so that training begins near the mean and not with noise to unlearn.
        self.head = started(nn.Conv1d(width, features, 3, padding=1), gain=0.1)

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B T D"]:
        """Decode codes to series of parameters."""
        values = self.foot(z.flatten(1)).unflatten(1, (self.windows, self.width))  # (B, K, W)
        h = self.places().softmax(0).mT @ values + self.place(self.positions)  # (B, T, W)
        return self.head(self.stack(h.mT)).mT

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.head

    @classmethod
    def example(cls) -> Self:
        """Decode to seven steps of two features."""
        return cls((3,), (7, 2), width=8, windows=4)


class _Stack(nn.Module):
    """Residual blocks whose reach doubles from one to the next."""

    def __init__(self, steps: int, width: int, depth: int | None, act: str) -> None:
        super().__init__()
        # After n blocks the middle has seen 2^n - 1 steps to either side.
        count = min(max(math.ceil(math.log2(steps / 2 + 1)), 1), DEEPEST) if depth is None else depth
        self.blocks = nn.ModuleList(_Residual(width, 2**i, act) for i in range(count))

    def forward(self, h: Float[Tensor, "B W T"], valid: Float[Tensor, "B 1 T"] | None = None) -> Float[Tensor, "B W T"]:
        for block in self.blocks:
            h = block(h, valid)
        return h


class _Residual(nn.Module):
    """h + W₂ a(W₁ a(h)), W₁ a dilated convolution and W₂ of one step."""

    def __init__(self, width: int, dilation: int, act: str) -> None:
        super().__init__()
        self.act = activation(act, WHO)
        self.reach = started(nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation))
        self.mix = started(nn.Conv1d(width, width, 1), gain=0.5)

    def forward(self, h: Float[Tensor, "B W T"], valid: Float[Tensor, "B 1 T"] | None) -> Float[Tensor, "B W T"]:
        a = self.act(h)
        # After the activation, since sigmoid makes something of 0: a step that does not count must look like the
        # zeros that pad the series' ends.
        a = a if valid is None else a * valid
        return h + self.mix(self.act(self.reach(a)))


class _Windows(nn.Module):
    """-½ (t - c_k)² / s_k², of shape (K, T), with series of any length laid on [0, 1]."""

    def __init__(self, steps: int, windows: int) -> None:
        super().__init__()
        self.times: Tensor
        self.register_buffer("times", (torch.arange(steps) + 0.5) / steps, persistent=False)
        self.centre = nn.Parameter((torch.arange(windows) + 0.5) / windows)
        # Neighbours meet at their inflexions. The logarithm, so that no step can make a width negative.
        self.log_width = nn.Parameter(torch.full((windows,), math.log(0.5 / windows)))

    def forward(self) -> Float[Tensor, "K T"]:
        far = (self.times - self.centre[:, None]) * torch.exp(-self.log_width)[:, None]
        return -0.5 * far**2


def _sines(steps: int, width: int) -> Float[Tensor, "T W"]:
    # Waves of 1/2, 1, 3/2, … periods over the series: the first tell its ends apart, the last its neighbours.
    times = (torch.arange(steps) + 0.5) / steps
    waves = torch.arange(1, width + 1)
    return torch.cos(math.pi * times[:, None] * waves)


def _series(shape: Shape) -> Shape:
    require(
        len(shape) == 2,
        WHO,
        "needs series of shape (T, D)",
        f"rows of shape {tuple(shape)}",
        "use nets/mlp, which takes any shape",
        error=ShapeError,
    )
    return as_shape(shape, WHO)


def _check(width: int, depth: int | None, windows: int) -> None:
    require(width >= 1, WHO, "width must be >= 1", width, "use 32")
    require(depth is None or depth >= 1, WHO, "depth must be >= 1", depth, "leave it out to see the whole series")
    require(windows >= 1, WHO, "windows must be >= 1", windows, "use 16")
