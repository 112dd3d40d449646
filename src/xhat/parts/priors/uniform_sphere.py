"""The uniform distribution on the unit sphere."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from xhat.core.errors import ShapeError, require
from xhat.core.posterior import Posterior
from xhat.core.prior import Prior
from xhat.core.shapes import Shape, as_shape
from xhat.core.sphere_code import SphereCode, log_surface

# How far from length 1 a code may be rounded and still lie on the sphere.
ROUNDING = 1e-3


class UniformSphere(Prior):
    r"""Every direction is as likely as any other.

    .. math:: p(z) = \frac{1}{S_d} = \frac{\Gamma(d/2)}{2 \pi^{d/2}}, \qquad \|z\| = 1

    a density on the sphere's surface, not in space: off the sphere it is 0.

    Parameters
    ----------
    code_shape : tuple of int
        (d,), with d >= 2.

    References
    ----------
    Davidson et al., "Hyperspherical Variational Auto-Encoders", UAI 2018, section 3.
    """

    continuous = False

    at: Tensor

    def __init__(self, code_shape: Shape) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "priors/uniform_sphere")
        flat = len(self.code_shape) == 1 and self.code_shape[0] >= 2
        rule = "the code must be flat, of 2 numbers or more"
        require(flat, "priors/uniform_sphere", rule, self.code_shape, "as (16,)", error=ShapeError)
        self.register_buffer("at", torch.zeros(()), persistent=False)  # nothing but where it is, and in which precision

    def sample(self, n: int) -> Float[Tensor, "n d"]:
        """Draw `n` directions."""
        return normalize(torch.randn(n, *self.code_shape, dtype=self.at.dtype, device=self.at.device), dim=1)

    def log_prob(self, z: Float[Tensor, "N d"]) -> Float[Tensor, "N"]:
        """Log-density in nats."""
        on = (z.norm(dim=1) - 1).abs() < ROUNDING
        return torch.where(on, -log_surface(z.shape[1]), -torch.inf).to(z.dtype)

    def kl(self, code: Posterior) -> Float[Tensor, "B"]:
        """KL(q || p) in nats: closed form of a von Mises-Fisher code."""
        return code.kl_to_uniform() if isinstance(code, SphereCode) else super().kl(code)

    def fit(self, z: Float[Tensor, "N d"]) -> None:
        """Stay uniform: there is nothing to learn. A prior that follows codes is of another kind, as priors/mixture."""

    @classmethod
    def example(cls) -> Self:
        """Make the sphere in three dimensions."""
        return cls((3,))
