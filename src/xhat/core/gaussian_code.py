"""A code that is a Gaussian with a diagonal covariance."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.posterior import Posterior
from xhat.core.shapes import per_row


class GaussianCode(Posterior):
    r"""The posterior :math:`q(z|x) = N(\mu, \mathrm{diag}\, \sigma^2)`.

    Parameters
    ----------
    mean : Tensor of shape (B, *Z)
        :math:`\mu`; also the deterministic code ``z``.
    log_var : Tensor of shape (B, *Z)
        :math:`\log \sigma^2`.
    """

    def __init__(self, mean: Float[Tensor, "B *Z"], log_var: Float[Tensor, "B *Z"]) -> None:
        super().__init__(mean)
        self.mean = mean
        self.log_var = log_var

    @property
    def std(self) -> Tensor:
        r""":math:`\sigma`, of shape (B, *Z)."""
        return torch.exp(0.5 * self.log_var)

    def rsample(self, k: int = 1) -> Tensor:
        r"""Draw :math:`z = \mu + \sigma \epsilon` `k` times for each row, as (k * B, *Z)."""
        mean, std = self.mean, self.std
        if k > 1:
            repeats = (k, *(1,) * (mean.ndim - 1))
            mean, std = mean.repeat(repeats), std.repeat(repeats)
        return mean + std * torch.randn_like(std)

    def log_prob(self, z: Float[Tensor, "N *Z"], *, detached: bool = False) -> Float[Tensor, "N"]:
        """Log-density in nats of codes z (B, *Z), or of k draws a row, (k * B, *Z) as `rsample` stacks them."""
        k = len(z) // len(self.mean)
        mean, log_var = self.mean, self.log_var
        if detached:
            mean, log_var = mean.detach(), log_var.detach()
        if k > 1:
            repeats = (k, *(1,) * (mean.ndim - 1))
            mean, log_var = mean.repeat(repeats), log_var.repeat(repeats)
        squares = (z - mean) ** 2 * torch.exp(-log_var)
        return per_row(-0.5 * (squares + log_var + math.log(2 * math.pi)))

    def kl_per_dimension(self) -> Float[Tensor, "B *Z"]:
        r"""KL to the standard normal of every code dimension, in nats.

        .. math:: \tfrac12 (\mu^2 + \sigma^2 - 1 - \log \sigma^2)
        """
        return 0.5 * (self.mean**2 + torch.exp(self.log_var) - 1 - self.log_var)
