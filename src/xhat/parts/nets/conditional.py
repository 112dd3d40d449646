"""Any net beside a class: the label of a row is read with the row, and again with its code."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ConfigError, ShapeError, require
from xhat.core.shapes import Shape, as_shape, size, spread
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder

WHO = "nets/conditional"


class ConditionalEncoder(Encoder):
    r"""h = f([x, e_y]), with :math:`e_y` the one-hot label.

    Beside a vector stand the K entries of :math:`e_y`, beside an image K constant channels, beside a series K constant
    features of each step.

    Parameters
    ----------
    inner : Encoder
        f, for rows that are so much longer: `widened` says of which shape.
    classes : int
        K, how many classes there are; >= 2.
    in_shape : tuple of int, optional
        Of rows that are flattened first, where f reads vectors; else f's own shape without the label.

    References
    ----------
    Kingma et al., "Semi-Supervised Learning with Deep Generative Models", NeurIPS 2014, section 2.1, and Sohn et al.,
    "Learning Structured Output Representation using Deep Conditional Generative Models", NeurIPS 2015.
    """

    reads_labels = True

    def __init__(self, inner: Encoder, classes: int, in_shape: Shape | None = None) -> None:
        super().__init__()
        self.inner, self.classes = inner, _checked(classes)
        narrow = _narrowed(inner.in_shape, classes)
        self.in_shape = narrow if in_shape is None else as_shape(in_shape, WHO)
        self.flat = self.in_shape != narrow
        rule = f"rows of {self.in_shape} flattened beside {classes} classes do not meet the net's {inner.in_shape}"
        require(not self.flat or (size(self.in_shape),) == narrow, WHO, rule, error=ShapeError)
        self.out_shape = inner.out_shape
        self.reads_mask, self.reads_visible = inner.reads_mask, inner.reads_visible

    def forward(self, x: Float[Tensor, "B *X"], *seen: Tensor | None) -> Float[Tensor, "B *H"]:
        """Encode rows; `seen` ends with their labels (B,), behind the masks that f reads."""
        *masks, y = seen
        wide = _beside(self._flattened(x), _one_hot(y, self.classes, x))
        h: Tensor = self.inner(wide, *(self._widened_mask(mask, x) for mask in masks))
        return h

    def _flattened(self, x: Tensor) -> Tensor:
        return x.flatten(1) if self.flat else x

    def _widened_mask(self, mask: Tensor | None, x: Tensor) -> Tensor | None:
        if mask is None or (mask.ndim < x.ndim and not self.flat):
            return mask  # of steps, which are as many as before
        mask = spread(mask, x).expand_as(x)
        there = torch.ones(len(mask), self.classes, dtype=torch.bool, device=mask.device)
        return _beside(self._flattened(mask), there)  # a label is never missing

    def example_batch(self, n: int) -> Batch:
        """Make `n` random rows of all classes."""
        return Batch(torch.rand(n, *self.in_shape), y=torch.arange(n) % self.classes)

    @classmethod
    def example(cls) -> Self:
        """Encode rows of six numbers in two classes."""
        return cls(MLPEncoder((8,), (3,), hidden=(8,)), 2)


class ConditionalDecoder(Decoder):
    r"""θ = g([z, e_y]), with :math:`e_y` the one-hot label beside a code as the encoder has it beside a row.

    Parameters
    ----------
    inner : Decoder
        g, for codes that are so much longer.
    classes : int
        K.
    """

    reads_labels = True

    classes: int
    shares: Tensor

    def __init__(self, inner: Decoder, classes: int) -> None:
        super().__init__()
        self.inner, self.classes = inner, _checked(classes)
        self.in_shape, self.out_shape = _narrowed(inner.in_shape, classes), inner.out_shape
        self.reads_batch, self.judged_by = inner.reads_batch, inner.judged_by
        self.register_buffer("shares", torch.full((classes,), 1 / classes))

    def begin(self, y: Tensor | None) -> None:
        """Count the classes of the first rows, which new rows are drawn from when none is asked for."""
        # One more of each: what these rows lack, others may have.
        counts = _one_hot(y, self.classes, self.shares).sum(0) + 1
        self.shares.copy_(counts / counts.sum())

    def draw(self, n: int) -> Int64[Tensor, "n"]:
        """Draw `n` classes about as often as they came in the first rows of training."""
        return torch.multinomial(self.shares, n, replacement=True)

    def forward(self, z: Float[Tensor, "B *Z"], *read: Batch | Tensor | None) -> Float[Tensor, "B *Θ"]:
        """Decode codes; `read` ends with their labels (B,), behind the batch where g reads it."""
        *batch, y = read
        theta: Tensor = self.inner(_beside(z, _one_hot(y, self.classes, z)), *batch)
        return theta

    @classmethod
    def example(cls) -> Self:
        """Decode three numbers in two classes."""
        return cls(MLPDecoder((5,), (6,), hidden=(8,)), 2)


def widened(shape: Shape, classes: int) -> Shape:
    """Give the shape that rows or codes of `shape` have beside their label."""
    axis = _axis(shape)
    return (*shape[:axis], shape[axis] + classes, *shape[axis + 1 :])


def _narrowed(shape: Shape, classes: int) -> Shape:
    hint = f"build it for {classes} entries more: widened(shape, {classes})"
    require(shape[_axis(shape)] > classes, WHO, "the net must read more than a label", tuple(shape), hint)
    return widened(shape, -classes)


def _axis(shape: Shape) -> int:
    return 1 if len(shape) == 2 else 0  # the features of a step, the channels of an image


def _beside(x: Tensor, e: Tensor) -> Tensor:
    """Append e (B, K) to x on its own axis."""
    axis = 1 + _axis(tuple(x.shape[1:]))
    e = e.reshape(len(x), *(1,) * (axis - 1), -1, *(1,) * (x.ndim - 1 - axis))
    return torch.cat([x, e.expand(*x.shape[:axis], -1, *x.shape[axis + 1 :])], axis)


def _one_hot(y: object, classes: int, like: Tensor) -> Float[Tensor, "B K"]:
    rule, hint = "labels are missing where they are needed", "open the data with labels= (--labels)"
    if not isinstance(y, Tensor) or y.ndim != 1 or y.is_floating_point():
        raise ConfigError(WHO, rule, "none" if y is None else "labels that are no classes", hint)
    if not torch.compiler.is_compiling():  # what depends on values cannot be exported
        require(not bool((y < 0).any()), WHO, rule, "rows without one", hint)
        rule = f"labels must be below {classes}, the number of classes"
        require(not bool((y >= classes).any()), WHO, rule, int(y.max()), "use the classes of the model's own data")
    return (y[:, None] == torch.arange(classes, device=like.device)).to(like.dtype)


def _checked(classes: int) -> int:
    require(classes >= 2, WHO, "classes must be >= 2", classes, "use the net alone for one")
    return classes
