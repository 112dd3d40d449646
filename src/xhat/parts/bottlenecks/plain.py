"""The code is what the encoder says."""

from __future__ import annotations

from typing import Self

from jaxtyping import Float
from torch import Tensor

from xhat.core.bottleneck import Bottleneck
from xhat.core.code import Code
from xhat.core.shapes import Shape, as_shape


class Plain(Bottleneck):
    """z = h, a deterministic code.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    """

    def __init__(self, code_shape: Shape) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "Plain")

    def forward(self, h: Float[Tensor, "B *Z"]) -> Code:
        """Pass h on."""
        return Code(h)

    @classmethod
    def example(cls) -> Self:
        """Make codes of three numbers."""
        return cls((3,))
