"""The likelihood: which distribution over data the decoder's output stands for."""

from __future__ import annotations

import math
from abc import abstractmethod

from torch import Tensor

from xhat.core.component import Component
from xhat.core.data_distribution import DataDistribution
from xhat.core.shapes import Shape


class Likelihood(Component):
    """A map from parameters θ (B, *Θ) to the distribution p(x|z)."""

    support: tuple[float, float] = (-math.inf, math.inf)
    """The lowest and highest value that data may take."""

    normalised: bool = True
    """Whether the probabilities of x add up to one; otherwise `log_prob` is of something that was made of x."""

    def params(self, x_shape: Shape) -> Shape:
        """Give the shape Θ of a row's parameters, for rows of `x_shape`."""
        return x_shape

    def begin(self, x: Tensor, mask: Tensor | None = None) -> None:
        """Look at some rows (B, *X) before the first step, for a likelihood that starts from data."""

    @abstractmethod
    def forward(self, theta: Tensor) -> DataDistribution:
        """Read parameters θ (B, *Θ) as a distribution over rows."""
