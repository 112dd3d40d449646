"""Custom: any linear function of images, with its adjoint from autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape
from xhat.restore.operator import Operator

WHO = "operators/custom"


class Custom(Operator):
    r"""Wrap a function of images that is linear and that torch can differentiate.

    .. math:: A^T y = \nabla_x \langle A x, y \rangle

    Parameters
    ----------
    function : callable
        A, from images (B, C, H, W) to measurements (B, ...).
    shape : tuple of int
        (C, H, W) of one image.
    transposed : callable, optional
        :math:`A^T`, from measurements to images, where it is known. It is held against the function at once.

    Raises
    ------
    ConfigError
        When the function is not linear, or `transposed` is not its transpose.
    """

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        shape: Shape,
        transposed: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        require(len(shape) == 3, WHO, "needs images of shape (C, H, W)", shape, error=ShapeError)
        self.function, self.shape, self.transposed = function, tuple(shape), transposed
        self._check()

    def forward(self, x: Float[Tensor, "B C H W"]) -> Tensor:
        """Apply the function."""
        return self.function(x)

    def adjoint(self, y: Tensor) -> Float[Tensor, "B C H W"]:
        """Apply the transpose, found by one backward pass where it was not given."""
        if self.transposed is not None:
            return self.transposed(y)
        with torch.enable_grad():
            x = y.new_zeros(len(y), *self.shape, requires_grad=True)
            (back,) = torch.autograd.grad(self.function(x), x, y)
        return back

    def _check(self) -> None:
        x = torch.rand(2, *self.shape, generator=torch.Generator().manual_seed(0))
        one, two, both = (self.function(part) for part in (x[:1], x[1:], x[:1] - 2 * x[1:]))
        off = float((both - (one - 2 * two)).abs().max())
        linear = off <= 1e-3 * (1e-6 + float(both.abs().max()))
        require(linear, WHO, "A must be linear", f"A(x - 2z) off by {off:.2g}", "move what is constant into y")
        if self.transposed is not None:
            self._check_transpose(x[:1] - 2 * x[1:], both, one)

    def _check_transpose(self, x: Tensor, there: Tensor, y: Tensor) -> None:
        """Hold ⟨A x, y⟩ = ⟨x, Aᵀ y⟩, `there` being A x."""
        back = self.adjoint(y)
        rule, hint = "transposed must give images of the shape", "it is what leads from y back to x"
        require(back.shape == x.shape, WHO, f"{rule} {self.shape}", tuple(back.shape[1:]), hint, error=ShapeError)
        left, right = float((there * y).sum()), float((x * back).sum())
        fits = abs(left - right) <= 1e-3 * (1e-6 + float(there.norm() * y.norm()))
        rule, hint = "transposed must be A's transpose: <A x, y> = <x, A^T y>", "leave it out to have it found"
        require(fits, WHO, rule, f"{left:.4g} and {right:.4g}", hint)

    @classmethod
    def example(cls) -> Self:
        """Difference neighbouring rows."""
        return cls(lambda x: x[..., 1:, :] - x[..., :-1, :], (2, 12, 10))
