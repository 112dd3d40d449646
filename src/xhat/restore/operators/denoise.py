"""Noise alone: A = I."""

from __future__ import annotations

from typing import Self

from jaxtyping import Float
from torch import Tensor

from xhat.restore.operator import Operator


class Denoise(Operator):
    r"""Leave images as they are: :math:`y = x + n`."""

    contracts = True

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Give x."""
        return x

    def adjoint(self, y: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Give y."""
        return y

    def prox(self, v: Float[Tensor, "B C H W"], y: Float[Tensor, "B C H W"], rho: float) -> Float[Tensor, "B C H W"]:
        r"""Give the weighted mean, :math:`(y + \rho v) / (1 + \rho)`."""
        return (y + rho * v) / (1 + rho)

    @classmethod
    def example(cls) -> Self:
        """Make one; there is nothing to choose."""
        return cls()
