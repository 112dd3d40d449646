"""Laplace data: the absolute error, robust to outlying elements."""

from __future__ import annotations

from typing import Self

from torch import Tensor
from torch.distributions import Laplace as Law

from xhat.core.data_distribution import DataDistribution
from xhat.core.errors import require
from xhat.core.likelihood import Likelihood


class Laplace(Likelihood):
    r"""Every element is Laplace with location θ and one scale b.

    .. math:: -\log p(x|z) = \sum_i \frac{|x_i - \theta_i|}{b} + \log 2b

    Parameters
    ----------
    scale : float, default=1.0
        b, in the scaled data's units. Must be > 0.
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        require(scale > 0, "likelihoods/laplace", "scale must be > 0", scale, "use 1.0 for the absolute error")
        self.scale = scale

    def forward(self, theta: Tensor) -> DataDistribution:
        """Read θ (B, *X) as locations."""
        return DataDistribution(Law(theta, self.scale, validate_args=False))

    @classmethod
    def example(cls) -> Self:
        """Make a narrow one."""
        return cls(0.5)
