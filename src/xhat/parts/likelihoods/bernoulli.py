"""Bernoulli data: pixels that are on or off, or shares in [0, 1] read as probabilities."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from xhat.core.data_distribution import DataDistribution
from xhat.core.likelihood import Likelihood


class Bernoulli(Likelihood):
    r"""Every element is 1 with probability :math:`\mathrm{sigmoid}(\theta)`.

    .. math:: \log p(x|z) = \sum_i \log \mathrm{sigmoid}(\theta_i) - (1 - x_i)\, \theta_i

    Data must lie in [0, 1]. Between 0 and 1 the value is a cross-entropy and no normalised density
    (Loaiza-Ganem and Cunningham, NeurIPS 2019): compare it only with itself.
    """

    support = (0.0, 1.0)

    def forward(self, theta: Tensor) -> DataDistribution:
        """Read θ (B, *X) as logits."""
        return DataDistribution(_Coins(theta))

    @classmethod
    def example(cls) -> Self:
        """Make one; there is nothing to choose."""
        return cls()


class _Coins:
    """Coins by their logits; torch.distributions would spend as long on arguments as on the logarithm."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits  # (B, *X)

    @property
    def mean(self) -> Tensor:
        return torch.sigmoid(self.logits)

    def log_prob(self, value: Tensor) -> Tensor:
        return torch.addcmul(logsigmoid(self.logits), 1 - value, self.logits, value=-1)

    def sample(self) -> Tensor:
        return torch.bernoulli(self.mean)
