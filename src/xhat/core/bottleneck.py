"""The bottleneck: how a code is made of what the encoder says."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from xhat.core.code import Code
from xhat.core.component import Component
from xhat.core.shapes import Shape


class Bottleneck(Component):
    """A function of encodings, (B, *in_shape) -> Code with z of shape (B, *code_shape)."""

    code_shape: Shape

    emits: type[Code] = Code
    """The kind of code that comes out; an objective reads one kind."""

    @property
    def in_shape(self) -> Shape:
        """The shape that the encoder must give: the code's own, unless a kind says otherwise."""
        return self.code_shape

    def begin(self, h: Tensor) -> None:
        """Look at some encodings (N, *in_shape) before the first step, for a bottleneck that starts from them."""

    @abstractmethod
    def forward(self, h: Tensor) -> Code:
        """Make codes of encodings h (B, *in_shape)."""
