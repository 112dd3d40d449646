"""A: what happened to an image, linear, with all that a solver asks of it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import torch
from torch import Tensor, nn

from xhat.core.shapes import per_row, spread
from xhat.restore.noise import estimate_sigma


class Operator(nn.Module):
    r"""A linear map of images x (B, C, H, W) to measurements y (B, ...), in y = A x + n.

    A kind gives `forward` and `adjoint`; where the data step has a closed form it gives `prox` as well, which is
    otherwise found by conjugate gradients.
    """

    contracts: bool = False
    """Whether its norm is known to be at most 1; of others it is estimated before they are used."""

    precision: float = 1e-5
    """How far the residual of the conjugate gradients is to fall."""

    most: int = 100
    """Iterations of the conjugate gradients at most; at a small ρ they end here, before `precision` is reached.

    Deblurring 192 x 192 pixels from two of Levin's kernels with "valid" borders, 100 came within 0.1 levels of 255 of
    the solution at ρ = 6e-4 (noise of 2.55, the first step of HQS), within 3.6 at 6e-6 (none); root mean squares.
    Led by the spectrum, as if the image were a torus, they came there sooner, but of 12 x 10 pixels at 6e-6 they stayed
    13 levels off.
    """

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Give A x of images x (B, C, H, W)."""

    @abstractmethod
    def adjoint(self, y: Tensor) -> Tensor:
        r"""Give :math:`A^T y`, images (B, C, H, W)."""

    def check(self, y: Tensor) -> None:
        """Refuse measurements that cannot be restored, before any work; none unless a kind says so."""

    def start(self, y: Tensor) -> Tensor:
        """Give images (B, C, H, W) to begin at: what is nearest to y without a prior."""
        return self.adjoint(y)

    def covered(self, x: Tensor) -> Tensor:
        """Give the part of images x that people mean when they look at y; all of it unless a kind says otherwise."""
        return x

    def measured(self, y: Tensor) -> Tensor:
        """Give y with 0 where nothing was measured, whatever stands there; all of it unless a kind says otherwise."""
        return y

    def noise(self, y: Tensor) -> float:
        """Estimate the noise's standard deviation from measurements; 0 where they are no image to tell it from."""
        return estimate_sigma(y) if y.ndim == 4 else 0.0

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        r"""Solve the data step.

        .. math:: \arg\min_x \|A x - y\|^2 + \rho \|x - v\|^2, \qquad (A^T A + \rho) x = A^T y + \rho v

        Parameters
        ----------
        v : Tensor of shape (B, C, H, W)
            Where the prior would have x.
        y : Tensor of shape (B, ...)
            What was measured.
        rho : float
            How much v counts. Must be > 0.
        """
        x = v
        residual = self.adjoint(y - self(x))  # Aᵀy + ρv − (AᵀA + ρ) x at x = v
        direction, square = residual, _square(residual)
        enough = self.precision**2 * _square(self.adjoint(y) + rho * v)
        for _ in range(self.most):
            if bool((square <= enough).all()):
                break
            image = self.adjoint(self(direction)) + rho * direction
            # Where a row has already arrived both are 0.
            step = square / per_row(direction * image).clamp(min=torch.finfo(x.dtype).tiny)
            x = x + spread(step, x) * direction
            residual = residual - spread(step, x) * image
            before, square = square, _square(residual)
            direction = residual + spread(square / before.clamp(min=torch.finfo(x.dtype).tiny), x) * direction
        return x

    def trace(self, y: Tensor, draws: int = 4) -> Tensor:
        r"""Estimate :math:`\mathrm{tr}(A A^T)` of each row, (B,), by Hutchinson.

        .. math:: \mathrm{tr}(A A^T) = E\|A^T r\|^2, \qquad r_i = \pm 1

        Parameters
        ----------
        y : Tensor of shape (B, ...)
            For its shape.
        draws : int, default=4
            How many there are for each row. Rows are not averaged: each may have its own A, as its own gaps.
        """
        signs = [torch.randint(2, y.shape, device=y.device).to(y.dtype) * 2 - 1 for _ in range(draws)]
        return torch.stack([_square(self.adjoint(sign)) for sign in signs]).mean(0)

    @classmethod
    def example(cls) -> Self:
        """Make a small one for images of shape (C, 12, 10), for tests."""
        raise NotImplementedError(f"{cls.__name__} gives no example")


def _square(x: Tensor) -> Tensor:
    return per_row(x * x)
