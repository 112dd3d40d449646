"""A prior of which all is known: independent pixels, x ~ N(m, s²)."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class GaussianPrior:
    mean: float = 0.5
    s: float = 0.1

    def __call__(self, x, sigma):
        """Give the posterior mean E[x₀ | x₀ + σε = x]."""
        share = self.s**2 / (self.s**2 + sigma**2)
        return self.mean + share * (x - self.mean)

    def draw(self, *shape):
        return self.mean + self.s * torch.randn(*shape, dtype=torch.float64)

    def posterior_mean(self, operator, y, noise, shape, weight=1.0):
        """Give argmin ‖Ax − y‖² + weight noise²/s² ‖x − m‖², for weight 1 the posterior mean."""
        return operator.prox(torch.full(shape, self.mean, dtype=y.dtype), y, weight * noise**2 / self.s**2)
