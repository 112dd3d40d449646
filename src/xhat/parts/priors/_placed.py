"""A figure in the plane that can be drawn class by class, and moved and stretched to lie where codes lie."""

from __future__ import annotations

from abc import abstractmethod

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from xhat.core.errors import require
from xhat.core.prior import Prior


class Placed(Prior):
    r"""p(z) of :math:`z = m + A u`, with u of a fixed figure; :math:`m = 0, A = I` until `fit` is called.

    Parameters
    ----------
    classes : int
        K: how many parts of equal probability the figure has.
    """

    classes: int
    place: Tensor
    stretch: Tensor

    def __init__(self, classes: int, who: str) -> None:
        super().__init__()
        require(classes >= 1, who, "classes must be >= 1", classes, "as many as the data has classes")
        self.code_shape = (2,)
        self.classes = classes
        self.register_buffer("place", torch.zeros(2))
        self.register_buffer("stretch", torch.eye(2))

    @abstractmethod
    def draw(self, y: Int64[Tensor, "n"]) -> Float[Tensor, "n 2"]:
        """Draw from part y of the figure."""

    @abstractmethod
    def log_density(self, u: Float[Tensor, "N 2"]) -> Float[Tensor, "N"]:
        """Log-density of the figure, in nats."""

    @abstractmethod
    def moments(self) -> tuple[Float[Tensor, "2"], Float[Tensor, "2 2"]]:
        """Give the figure's mean and covariance."""

    def sample(self, n: int) -> Float[Tensor, "n 2"]:
        """Draw `n` codes from the whole."""
        return self.sample_of(torch.randint(self.classes, (n,), device=self.place.device))

    def sample_of(self, y: Int64[Tensor, "n"]) -> Float[Tensor, "n 2"]:
        """Draw codes of given classes."""
        return self.place + self.draw(y) @ self.stretch.T

    def log_prob(self, z: Float[Tensor, "N 2"]) -> Float[Tensor, "N"]:
        """Log-density in nats."""
        u = torch.linalg.solve(self.stretch, (z - self.place).T).T
        return self.log_density(u) - torch.linalg.slogdet(self.stretch)[1]

    def fit(self, z: Float[Tensor, "N 2"]) -> None:
        """Give the figure the codes' mean and covariance."""
        z = z.detach().cpu().double()  # not every device has doubles
        ridge = 1e-6 * torch.eye(2, dtype=z.dtype)
        mean, covariance = (moment.cpu().double() for moment in self.moments())
        outer = torch.linalg.cholesky(z.T.cov() + ridge)
        inner = torch.linalg.cholesky(covariance)
        stretch = outer @ torch.linalg.inv(inner)
        self.stretch.copy_(stretch)
        self.place.copy_(z.mean(0) - stretch @ mean)
