"""f: from a row to what the bottleneck reads."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from xhat.core.component import Component
from xhat.core.shapes import Shape


class Encoder(Component):
    """A function of rows, (B, *in_shape) -> (B, *out_shape)."""

    in_shape: Shape
    out_shape: Shape

    reads_mask: bool = False
    """Whether `forward` takes the batch's mask as its second argument."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Encode rows x (B, *in_shape) as h (B, *out_shape)."""
