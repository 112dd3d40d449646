"""Recurrent net: an LSTM or GRU reads a sequence step by step, another writes it from the code."""

from __future__ import annotations

from typing import Any, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.nets._blocks import started
from xhat.parts.nets._masks import check_mask, check_rows, first
from xhat.parts.nets._steps import Numbers, Symbols, recurrent

WHO = "nets/recurrent"


class RecurrentEncoder(Encoder):
    r"""The state after the last valid step, then a linear map.

    .. math:: s_t = \mathrm{cell}(s_{t-1}, x_t), \qquad h = W s_n + b

    A mask (B, T) says which steps are there: the others are passed over, wherever they stand, so that padding
    changes nothing. A mask of entries (B, T, D) blanks the missing ones and keeps their steps, up to the last that
    has any: a value may be missing, the time went on.

    Parameters
    ----------
    in_shape : tuple of int
        (T, D) of real-valued steps, or (T,) of symbols.
    out_shape : tuple of int
        Of an encoding; any number of axes.
    cell : {"lstm", "gru"}
        The recurrent cell.
    hidden : int, default=128
        Width of the state.
    layers : int, default=1
        Recurrent layers, one upon the other.
    vocabulary : int, optional
        The number of symbols; ``None`` for real-valued steps.

    References
    ----------
    Sutskever et al., "Sequence to Sequence Learning with Neural Networks", NeurIPS 2014. Srivastava et al.,
    "Unsupervised Learning of Video Representations using LSTMs", ICML 2015.
    """

    reads_mask = True

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        cell: str = "lstm",
        hidden: int = 128,
        layers: int = 1,
        vocabulary: int | None = None,
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = _sequence(in_shape, vocabulary), as_shape(out_shape, WHO)
        self.cell, self.hidden, self.layers, self.vocabulary = cell, hidden, layers, vocabulary
        self.read = _reader(self.in_shape[-1], hidden, vocabulary, learned=False)
        self.steps = recurrent(cell, self.read.width, hidden, layers, WHO)
        self.head = started(nn.Linear(hidden, size(self.out_shape)), gain=1.0)

    def forward(self, x: Float[Tensor, "B T *D"], mask: Bool[Tensor, "B *M"] | None = None) -> Float[Tensor, "B *H"]:
        """Encode sequences; `mask` is True where a step, or an entry, is there."""
        check_rows(x, self.in_shape, WHO)
        if mask is None:
            state = self.steps(self.read(x, None))[0][:, -1]  # (B, hidden)
        else:
            check_mask(mask, x, WHO)
            state = self._last_valid(self.read(x, mask), _there(mask))
        return self.head(state).unflatten(1, self.out_shape)

    def _last_valid(self, steps: Tensor, there: Tensor) -> Tensor:
        # The valid steps go first and one state is picked: what comes after it was never read. Packed sequences
        # would save those steps, but cannot be exported and need the lengths on the CPU.
        order = first(there).unsqueeze(2).expand_as(steps)
        states, _ = self.steps(steps.gather(1, order))  # (B, T, hidden)
        count = there.sum(1).view(-1, 1, 1)
        last = (count - 1).clamp(min=0).expand(-1, 1, self.hidden)
        return torch.where(count > 0, states.gather(1, last), 0.0).squeeze(1)  # (B, hidden)

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.head

    def example_batch(self, n: int) -> Batch:
        """Make `n` sequences of several lengths, the first of them full."""
        x, steps = torch.rand(n, *self.in_shape), self.in_shape[0]
        if self.vocabulary is not None:
            x = torch.floor(x * self.vocabulary)
        lengths = steps - torch.arange(n) % steps
        return Batch(x, mask=torch.arange(steps) < lengths.unsqueeze(1))

    @classmethod
    def example(cls) -> Self:
        """Encode five steps of two numbers."""
        return cls((5, 2), (3,), hidden=8)


class RecurrentDecoder(Decoder):
    r"""A state made of the code writes step after step; the code itself is read at each.

    .. math:: s_0 = \tanh(W z + b), \qquad s_t = \mathrm{cell}(s_{t-1}, [z, u_t]), \qquad \theta_t = V s_t + c

    With ``feeding="code"`` nothing else is read. With "teacher", :math:`u_t` is the step written before: the row's
    own while the row is judged, and else what the net wrote (of symbols the most probable; of real values θ itself,
    thus for likelihoods whose θ is the mean). Before the first step, and where one is masked, it is a learned blank.

    Parameters
    ----------
    in_shape : tuple of int
        Of a code; any number of axes.
    out_shape : tuple of int
        (T, D) of real-valued steps, or (T, V) of symbols' logits.
    cell, hidden, layers
        As the encoder's.
    order : {"forward", "reversed"}
        "reversed" writes the last step first: what the encoder read last is still fresh. For rows of one length:
        it writes the padding of a shorter row before the row.
    feeding : {"code", "teacher"}
        What is read beside the code.
    vocabulary : int, optional
        V, the number of symbols; ``None`` for real-valued steps.

    References
    ----------
    Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", EMNLP 2014, for the code at each step.
    Williams and Zipser, "A Learning Algorithm for Continually Running Fully Recurrent Neural Networks", Neural
    Computation 1989, for teacher forcing. Sutskever et al., 2014, for the order.
    """

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        cell: str = "lstm",
        hidden: int = 128,
        layers: int = 1,
        order: str = "forward",
        feeding: str = "code",
        vocabulary: int | None = None,
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), _parameters(out_shape, vocabulary)
        self.cell, self.hidden, self.layers, self.vocabulary = cell, hidden, layers, vocabulary
        self.order = _one_of("order", order, ("forward", "reversed"))
        self.feeding = _one_of("feeding", feeding, ("code", "teacher"))
        self.reads_batch = feeding == "teacher"
        self.read = _reader(self.out_shape[1], hidden, vocabulary, learned=True) if self.reads_batch else None
        n_in = size(self.in_shape) + (self.read.width if self.read else 0)
        self.steps = recurrent(cell, n_in, hidden, layers, WHO)
        self.start = started(nn.Linear(size(self.in_shape), hidden * layers * (1 + (cell == "lstm"))), gain=1.0)
        self.head = started(nn.Linear(hidden, self.out_shape[1]), gain=1.0)

    def forward(self, z: Float[Tensor, "B *Z"], batch: Batch | None = None) -> Float[Tensor, "B T Θ"]:
        """Decode codes; with teacher forcing and a batch, each of its steps is read once it is written."""
        z = z.flatten(1)
        if self.read is None:
            theta, _ = self._write(z, None, self._begin(z))
        elif batch is None:
            theta = self._freely(z, self.read)
        else:
            theta, _ = self._write(z, self._before(batch, z.shape[0], self.read).to(z.dtype), self._begin(z))
        return theta.flip(1) if self.order == "reversed" else theta

    def _begin(self, z: Tensor) -> Any:
        state = self.start(z).tanh().unflatten(1, (-1, self.hidden)).transpose(0, 1).contiguous()
        return tuple(state.chunk(2)) if self.cell == "lstm" else state  # (layers, B, hidden) each

    def _write(self, z: Tensor, u: Tensor | None, state: Any) -> tuple[Tensor, Any]:
        """Write T steps beside the code alone, or as many as `u` (B, ?, read) has."""
        z = z.unsqueeze(1).expand(-1, self.out_shape[0] if u is None else u.shape[1], -1)
        states, state = self.steps(z if u is None else torch.cat([z, u], 2), state)
        return self.head(states), state

    def _freely(self, z: Tensor, read: Numbers | Symbols) -> Tensor:
        u, state, written = read.blank(z.shape[0]), self._begin(z), []
        for _ in range(self.out_shape[0]):
            theta, state = self._write(z, u, state)  # (B, 1, Θ)
            written.append(theta)
            u = read.again(theta)
        return torch.cat(written, 1)

    def _before(self, batch: Batch, n: int, read: Numbers | Symbols) -> Tensor:
        """Give what was written before each step, in the order of writing: (n, T, read)."""
        check_rows(batch.x, self.out_shape if self.vocabulary is None else self.out_shape[:1], WHO)
        if batch.present is not None:
            check_mask(batch.present, batch.x, WHO)
        u = read(batch.x, batch.present)
        u = torch.cat([read.blank(u.shape[0]), (u.flip(1) if self.order == "reversed" else u)[:, :-1]], 1)
        return u.repeat(n // u.shape[0], 1, 1)  # k draws a row stand draw after draw

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return self.head

    @classmethod
    def example(cls) -> Self:
        """Decode to five steps of two numbers."""
        return cls((3,), (5, 2), hidden=8)


def _there(mask: Tensor) -> Tensor:
    """Tell which steps (B, T) are there."""
    if mask.ndim == 2:
        return mask
    return mask.any(2).flip(1).cumsum(1).flip(1) > 0  # up to the last step with an entry


def _reader(features: int, width: int, vocabulary: int | None, *, learned: bool) -> Numbers | Symbols:
    return Numbers(features, learned=learned) if vocabulary is None else Symbols(vocabulary, width, WHO)


def _sequence(shape: Shape, vocabulary: int | None) -> Shape:
    shape = as_shape(shape, WHO)
    if vocabulary is None:
        hint = "add an axis of one feature, or set vocabulary where steps are symbols"
        require(len(shape) == 2, WHO, "real-valued steps need rows of shape (T, D)", shape, hint, error=ShapeError)
    else:
        require(vocabulary >= 2, WHO, "vocabulary must be >= 2", vocabulary, "count the data's symbols")
        hint = "set vocabulary=None where steps are real values"
        require(len(shape) == 1, WHO, "symbols need rows of shape (T,)", shape, hint, error=ShapeError)
    return shape


def _parameters(shape: Shape, vocabulary: int | None) -> Shape:
    shape = as_shape(shape, WHO)
    rule = "the decoder writes (T, D)" if vocabulary is None else f"the decoder writes logits (T, {vocabulary})"
    fits = len(shape) == 2 and (vocabulary is None or shape[1] == vocabulary)
    hint = "for symbols use likelihoods/categorical, and one vocabulary throughout"
    require(fits, WHO, rule, shape, hint, error=ShapeError)
    return shape


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    require(value in allowed, WHO, f"{name} must be one of {', '.join(allowed)}", f"'{value}'", f"use '{allowed[0]}'")
    return value
