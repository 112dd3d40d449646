"""Petals: a mixture of Gaussians in the plane, one a class, around a circle."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from xhat.core.errors import require
from xhat.parts.priors._placed import Placed

WHO = "priors/petals"


class Petals(Placed):
    r"""K Gaussians whose long axes point outwards, equally likely.

    .. math::
        p(z) = \frac1K \sum_k N\big(z; r\, e_k,\ a^2 e_k e_k^T + b^2 e_k' e_k'^T\big), \qquad
        e_k = (\cos \tfrac{2 \pi k}{K}, \sin \tfrac{2 \pi k}{K})

    with :math:`e_k' \perp e_k`. `fit` moves and stretches the whole to the codes' mean and covariance.

    Parameters
    ----------
    classes : int, default=10
        K.
    radius : float, default=2.0
        r, from the centre to the middle of a petal. Must be > 0.
    along, across : float, default=0.6, 0.2
        a and b, a petal's standard deviations. Must be > 0.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 2.3, figure 4: a mixture of 10 Gaussians in the plane.
    """

    def __init__(self, classes: int = 10, *, radius: float = 2.0, along: float = 0.6, across: float = 0.2) -> None:
        super().__init__(classes, WHO)
        for name, value in (("radius", radius), ("along", along), ("across", across)):
            require(value > 0, WHO, f"{name} must be > 0", value, "as 2.0, 0.6 and 0.2")
        self.radius, self.along, self.across = radius, along, across

    def draw(self, y: Int64[Tensor, "n"]) -> Float[Tensor, "n 2"]:
        """Draw from petal y."""
        noise = torch.randn(len(y), 2, dtype=self.place.dtype, device=self.place.device)
        own = torch.stack([self.radius + self.along * noise[:, 0], self.across * noise[:, 1]], 1)  # (n, 2) in e, e'
        return torch.einsum("na,nab->nb", own, self._axes()[y])

    def log_density(self, u: Float[Tensor, "N 2"]) -> Float[Tensor, "N"]:
        """Log-density in nats."""
        own = torch.einsum("nb,kab->nka", u, self._axes())  # (N, K, 2) in each petal's e, e'
        squares = ((own[..., 0] - self.radius) / self.along) ** 2 + (own[..., 1] / self.across) ** 2  # (N, K)
        constant = math.log(2 * math.pi * self.along * self.across * self.classes)
        return torch.logsumexp(-0.5 * squares, 1) - constant

    def moments(self) -> tuple[Float[Tensor, "2"], Float[Tensor, "2 2"]]:
        """Give the mean and the covariance of the whole."""
        axes = self._axes()
        centres = self.radius * axes[:, 0]  # (K, 2)
        inner = torch.einsum("kab,kac,a->bc", axes, axes, axes.new_tensor([self.along**2, self.across**2]))
        mean = centres.mean(0)
        return mean, (inner + centres.T @ centres) / self.classes - torch.outer(mean, mean)

    def _axes(self) -> Float[Tensor, "K 2 2"]:
        """Both axes of each petal, e and e', in rows."""
        angle = torch.arange(self.classes, dtype=self.place.dtype, device=self.place.device)
        angle = angle * (2 * math.pi / self.classes)
        cos, sin = angle.cos(), angle.sin()
        return torch.stack([torch.stack([cos, sin], 1), torch.stack([-sin, cos], 1)], 1)

    @classmethod
    def example(cls) -> Self:
        """Make five petals."""
        return cls(5)
