"""Bernoulli data: pixels that are on or off, or shares in [0, 1] read as probabilities."""

from __future__ import annotations

from typing import Self

from torch import Tensor
from torch.distributions import Bernoulli as Law

from xhat.core.data_distribution import DataDistribution
from xhat.core.likelihood import Likelihood


class Bernoulli(Likelihood):
    r"""Every element is 1 with probability :math:`\mathrm{sigmoid}(\theta)`.

    .. math:: -\log p(x|z) = \sum_i \log(1 + e^{\theta_i}) - x_i \theta_i

    Data must lie in [0, 1]. Between 0 and 1 the value is a cross-entropy and no normalised density
    (Loaiza-Ganem and Cunningham, NeurIPS 2019): compare it only with itself.
    """

    support = (0.0, 1.0)

    def forward(self, theta: Tensor) -> DataDistribution:
        """Read θ (B, *X) as logits."""
        return DataDistribution(Law(logits=theta, validate_args=False))

    @classmethod
    def example(cls) -> Self:
        """Make one; there is nothing to choose."""
        return cls()
