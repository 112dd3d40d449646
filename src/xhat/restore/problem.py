"""A problem: what was measured, how, and what is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from xhat.core.errors import ShapeError, require
from xhat.restore.operator import Operator


class Denoiser(Protocol):
    """What a prior must be: any denoiser that is told how strong the noise is."""

    def __call__(self, x: Tensor, sigma: float, /) -> Tensor:
        """Denoise images (B, C, H, W) whose noise has the standard deviation sigma, in their own units."""


@dataclass(frozen=True)
class Problem:
    r"""Find x where :math:`y = A x + n`, :math:`n \sim N(0, \sigma_n^2)`.

    Parameters
    ----------
    y : Tensor of shape (B, ...)
        What was measured, of images in [0, 1].
    operator : Operator
        A.
    prior : Denoiser
        D(x, σ): what images look like.
    sigma : float, optional
        :math:`\sigma_n`, in the images' units; 0 where there is no noise. None: unknown, for solvers that find it.
    turns : bool, default=True
        Whether a solver may show the prior its images from other sides; not where sides are to be compared.
    """

    y: Tensor
    operator: Operator
    prior: Denoiser
    sigma: float | None = None
    turns: bool = True

    def __post_init__(self) -> None:
        known = self.sigma is None or self.sigma >= 0
        require(known, "restore", "sigma must be >= 0", self.sigma, "leave it out where it is unknown")
        shape = tuple(self.y.shape)
        require(self.y.numel() > 0, "restore", "something must have been measured", shape, error=ShapeError)
        self.operator.check(self.y)

    def known_sigma(self, who: str) -> float:
        """Give the noise's strength to a solver that needs it."""
        require(self.sigma is not None, who, "needs the noise's strength", hint="give sigma, or use solvers/dmsp")
        return float(self.sigma or 0.0)

    def denoised(self, x: Tensor, sigma: float) -> Tensor:
        """Give D(x, σ), without a gradient."""
        with torch.no_grad():
            return self.prior(x, sigma)

    def residual(self, x: Tensor) -> Tensor:
        """Give A x - y where something was measured, and 0 elsewhere."""
        return self.operator.measured(self.operator(x) - self.y)

    def data_gradient(self, x: Tensor) -> Tensor:
        r"""Give :math:`A^T (A x - y)`, half the gradient of the squared residual."""
        return self.operator.adjoint(self.residual(x))
