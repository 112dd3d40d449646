"""Gaussian data: the squared error, with its scale fixed or learned."""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from xhat.core.data_distribution import DataDistribution
from xhat.core.errors import require
from xhat.core.likelihood import Likelihood

# A scale below this is a copy to better than 8 bits: without a floor its likelihood has no maximum.
SMALLEST = 1e-3


class Gaussian(Likelihood):
    r"""Every element is :math:`N(\theta, \sigma^2)` with one σ for all.

    .. math:: -\log p(x|z) = \sum_i \frac{(x_i - \theta_i)^2}{2 \sigma^2} + \log \sigma + \tfrac12 \log 2\pi

    Parameters
    ----------
    scale : float, default=1.0
        σ, in the scaled data's units; where it is learned, the value it starts from. Must be > 0.
    learned : bool, default=False
        Whether σ is a parameter of the model. It then weighs distortion against rate by itself.

    References
    ----------
    Rybkin et al., "Simple and Effective VAE Training with Calibrated Decoders", ICML 2021, for a learned σ.
    """

    def __init__(self, scale: float = 1.0, *, learned: bool = False) -> None:
        super().__init__()
        require(scale > 0, "likelihoods/gaussian", "scale must be > 0", scale, "use 1.0 for the squared error")
        self.scale, self.learned = scale, learned
        if learned:
            self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))

    def forward(self, theta: Tensor) -> DataDistribution:
        """Read θ (B, *X) as the means."""
        if not self.learned:
            # Many models in one program bring each its own σ, a tensor in the number's place.
            own: Tensor | float = self.scale
            return DataDistribution(_Normal(theta, own.log() if isinstance(own, Tensor) else math.log(own)))
        return DataDistribution(_Normal(theta, self.log_scale.clamp(min=math.log(SMALLEST))))

    @classmethod
    def example(cls) -> Self:
        """Learn the scale."""
        return cls(0.5, learned=True)


class _Normal:
    """Normal elements that share one scale: it stays a scalar, where torch.distributions would spread it.

    A scale that is not learned stays a number: of a small net's step, operations on it would be a tenth.
    """

    def __init__(self, mean: Tensor, log_scale: Tensor | float) -> None:
        self.mean = mean
        self.log_scale = log_scale  # ()

    def log_prob(self, value: Tensor) -> Tensor:
        precision = _exp(-2 * self.log_scale)
        constant = -self.log_scale - 0.5 * math.log(2 * math.pi)
        # Two operations in all, where the plain formula takes five: of a small net's step they are a tenth.
        square = mse_loss(self.mean, value, reduction="none")
        if isinstance(precision, float):
            return torch.rsub(square, constant, alpha=0.5 * precision)
        return constant - 0.5 * precision * square

    def sample(self) -> Tensor:
        return self.mean + _exp(self.log_scale) * torch.randn_like(self.mean)


def _exp(value: Tensor | float) -> Tensor | float:
    return value.exp() if isinstance(value, Tensor) else math.exp(value)
