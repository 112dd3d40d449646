"""g: from a code to the likelihood's parameters."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from xhat.core.component import Component
from xhat.core.errors import ConfigError
from xhat.core.shapes import Shape


class Decoder(Component):
    """A function of codes, (B, *in_shape) -> (B, *out_shape).

    A net may have a property ``last``: its last linear or convolutional layer. Where the weights of that are zero, it
    says the same of every code; a warm start begins there.
    """

    in_shape: Shape
    out_shape: Shape

    reads_batch: bool = False
    """Whether `forward` takes the batch, or None, as its second argument: to read the steps before each step."""

    reads_labels: bool = False
    """Whether `forward` takes the labels (B,), or None, as its last argument, behind the batch."""

    classes: int | None = None
    """How many classes of rows it knows; None where it reads no labels."""

    ancestral: int = 0
    """D, where what is said of each of D elements depends, by way of such an encoder, on those before it alone; else
    0."""

    judged_by: str | None = None
    """The kind of likelihood that this net's output must be read by, where it is not free; one that wraps another
    gets the one that was asked for."""

    def begin(self, y: Tensor | None) -> None:
        """Look at the labels (N,) of some rows before the first step."""

    def draw(self, n: int) -> Tensor:
        """Draw `n` classes (n,) about as often as they came in training, where it knows classes."""
        raise ConfigError(type(self).__name__, "knows no classes", hint="use nets/conditional")

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """Decode codes z (B, *in_shape) to parameters θ (B, *out_shape)."""
