"""A prior that a chain of invertible layers carries to the standard normal."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.prior import Prior
from xhat.core.shapes import Shape, size
from xhat.parts.priors._ascent import climb

# |log s| of a layer stays below this: no step can make a layer overflow, and several layers reach any scale.
WIDEST = 2.0


class Layer(nn.Module):
    """An invertible map of flat codes (N, d)."""

    @abstractmethod
    def forward(self, z: Float[Tensor, "N d"]) -> tuple[Float[Tensor, "N d"], Float[Tensor, "N"]]:
        """Give u and log |det ∂u/∂z|."""

    @abstractmethod
    def inverse(self, u: Float[Tensor, "N d"]) -> Float[Tensor, "N d"]:
        """Give the z that `forward` maps to u."""


class Transport(Prior):
    r"""The density that :math:`u = f(z)` has if u is standard normal.

    .. math:: \log p(z) = \log N(f(z);\, 0, I) + \log |\det \partial f / \partial z|

    The first layer takes off a centre and a spread, 0 and 1 unless `fit` measured them.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    layers : sequence of Layer
        f, from codes to noise.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, code_shape: Shape, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.code_shape = code_shape
        self.chain = nn.ModuleList(layers)
        self.register_buffer("centre", torch.zeros(size(code_shape)))
        self.register_buffer("spread", torch.ones(size(code_shape)))

    def to_noise(self, z: Float[Tensor, "N *Z"]) -> tuple[Float[Tensor, "N d"], Float[Tensor, "N"]]:
        """Give u = f(z) and the log-determinant."""
        u = (z.flatten(1) - self.centre) / self.spread
        log_det = -self.spread.log().sum().expand(len(u))
        for layer in self.chain:
            u, more = layer(u)
            log_det = log_det + more
        return u, log_det

    def from_noise(self, u: Float[Tensor, "N d"]) -> Float[Tensor, "N *Z"]:
        """Give the z of which f makes u."""
        for layer in reversed(self.chain):
            u = layer.inverse(u)  # type: ignore[operator]
        return (self.centre + self.spread * u).view(len(u), *self.code_shape)

    def sample(self, n: int) -> Tensor:
        """Draw `n` codes, (n, *code_shape)."""
        return self.from_noise(torch.randn(n, len(self.centre), dtype=self.centre.dtype, device=self.centre.device))

    def log_prob(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N"]:
        """Log-density in nats."""
        u, log_det = self.to_noise(z)
        return -0.5 * (u**2 + math.log(2 * math.pi)).sum(1) + log_det

    def fit(self, z: Float[Tensor, "N *Z"]) -> None:
        """Learn the distribution of codes by maximum likelihood."""
        flat = z.detach().flatten(1)
        self.centre.copy_(flat.mean(0))
        variance = flat.var(0, correction=0)
        self.spread.copy_((variance + 1e-6 * variance.mean().clamp(min=1e-6)).sqrt())  # a dead dimension keeps a width
        climb(self, z)


def bounded(raw: Tensor) -> Tensor:
    """Bring log-scales between -2 and 2."""
    return WIDEST * torch.tanh(raw / WIDEST)
