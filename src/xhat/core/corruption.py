"""A corruption: a way to spoil an input."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from xhat.core.component import Component
from xhat.core.errors import ConfigError


class Corruption(Component):
    """A random map of rows to spoiled rows of the same shape."""

    hides: bool = False
    """Whether it hides some entries and leaves the others alone, so that `visible` can tell which are left."""

    value: float = 0.0
    """What a hidden entry becomes."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Spoil rows x (B, *X); `x` itself stays as it is."""

    def visible(self, x: Tensor) -> Tensor:
        """Draw where rows x (B, *X) stay visible, as bools that spread to their shape."""
        raise ConfigError(type(self).__name__, "does not hide entries", hint="ask its `hides` first")
