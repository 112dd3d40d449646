"""A corruption: a way to spoil an input."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from xhat.core.component import Component


class Corruption(Component):
    """A random map of rows to spoiled rows of the same shape."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Spoil rows x (B, *X); `x` itself stays as it is."""
