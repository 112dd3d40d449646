"""A code that can be drawn from and whose density nobody knows."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from xhat.core.code import Code


class ImplicitCode(Code):
    """The distribution of a net's output where a part of its input is noise.

    Parameters
    ----------
    z : Tensor of shape (B, *Z)
        The code where the noise is zero.
    draw : callable
        From k to k draws a row, (k * B, *Z), draw after draw and differentiable.
    """

    def __init__(self, z: Tensor, draw: Callable[[int], Tensor]) -> None:
        super().__init__(z)
        self.draw = draw

    def rsample(self, k: int = 1) -> Tensor:
        """Draw `k` codes for each row, (k * B, *Z)."""
        return self.draw(k)
