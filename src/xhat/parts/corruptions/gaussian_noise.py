"""Gaussian noise added to every element."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from xhat.core.corruption import Corruption
from xhat.core.errors import require


class GaussianNoise(Corruption):
    r""":math:`\tilde x = x + \sigma \epsilon`.

    Parameters
    ----------
    sigma : float, default=0.3
        Standard deviation of the noise, in the scaled data's units. Must be >= 0.

    References
    ----------
    Vincent et al., "Stacked Denoising Autoencoders", JMLR 2010.
    """

    def __init__(self, sigma: float = 0.3) -> None:
        super().__init__()
        require(sigma >= 0, "corruptions/gaussian_noise", "sigma must be >= 0", sigma, "use 0 for no noise")
        self.sigma = sigma

    def forward(self, x: Tensor) -> Tensor:
        """Add noise to rows x (B, *X)."""
        return x + self.sigma * torch.randn_like(x)

    @classmethod
    def example(cls) -> Self:
        """Add a little."""
        return cls(0.1)
