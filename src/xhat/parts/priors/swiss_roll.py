"""Swiss roll: a spiral in the plane; classes are its arcs, from the centre outwards."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from xhat.core.errors import require
from xhat.parts.priors._placed import Placed

WHO = "priors/swiss_roll"

# Points that stand for the spiral in its density: nearer to one another than the noise is wide.
POINTS = 2048


class SwissRoll(Placed):
    r"""A spiral, drawn with a little noise.

    .. math::
        z = r \sqrt t\, (\cos 2 \pi T \sqrt t,\ \sin 2 \pi T \sqrt t) + \sigma \epsilon, \qquad t \sim U(0, 1)

    Class k of K is the arc with t in [k/K, (k+1)/K]; by the root each is about as long. `fit` moves and stretches the
    whole to the codes' mean and covariance.

    Parameters
    ----------
    classes : int, default=10
        K.
    radius : float, default=3.0
        r, where the spiral ends. Must be > 0.
    turns : float, default=2.0
        T. Must be > 0.
    noise : float, default=0.1
        σ. Must be > 0.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 2.3, figure 4: the swiss roll.
    """

    def __init__(self, classes: int = 10, *, radius: float = 3.0, turns: float = 2.0, noise: float = 0.1) -> None:
        super().__init__(classes, WHO)
        for name, value in (("radius", radius), ("turns", turns), ("noise", noise)):
            require(value > 0, WHO, f"{name} must be > 0", value, "as 3.0, 2.0 and 0.1")
        self.radius, self.turns, self.noise = radius, turns, noise

    def draw(self, y: Int64[Tensor, "n"]) -> Float[Tensor, "n 2"]:
        """Draw from arc y."""
        t = (y + torch.rand(len(y), dtype=self.place.dtype, device=self.place.device)) / self.classes
        spiral = self._at(t)
        return spiral + self.noise * torch.randn_like(spiral)

    def log_density(self, u: Float[Tensor, "N 2"]) -> Float[Tensor, "N"]:
        """Log-density in nats: the integral over t, by the midpoint rule."""
        squares = (u[:, None] - self._points()).square().sum(-1) / self.noise**2  # (N, POINTS)
        return torch.logsumexp(-0.5 * squares, 1) - math.log(2 * math.pi * self.noise**2 * POINTS)

    def moments(self) -> tuple[Float[Tensor, "2"], Float[Tensor, "2 2"]]:
        """Give the mean and the covariance of the whole."""
        points = self._points()
        spread = torch.eye(2, dtype=points.dtype, device=points.device) * self.noise**2
        return points.mean(0), points.T.cov(correction=0) + spread

    def _points(self) -> Float[Tensor, "M 2"]:
        t = torch.arange(POINTS, dtype=self.place.dtype, device=self.place.device)
        return self._at((t + 0.5) / POINTS)

    def _at(self, t: Float[Tensor, "n"]) -> Float[Tensor, "n 2"]:
        root = t.sqrt()
        angle = 2 * math.pi * self.turns * root
        return self.radius * root[:, None] * torch.stack([angle.cos(), angle.sin()], 1)

    @classmethod
    def example(cls) -> Self:
        """Make one of five arcs."""
        return cls(5)
