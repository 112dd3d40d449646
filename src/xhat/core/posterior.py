"""A code that is a distribution."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor

from xhat.core.code import Code

if TYPE_CHECKING:
    from xhat.core.prior import Prior


class Posterior(Code):
    """The distribution q(z|x), which can be drawn from and whose density is known.

    ``z`` is its mean or its mode; `rsample` must be differentiable.
    """

    @abstractmethod
    def log_prob(self, z: Tensor, *, detached: bool = False) -> Tensor:
        """Log-density in nats, (k * B,), of k codes a row, (k * B, *Z) as `rsample` stacks them.

        Parameters
        ----------
        z : Tensor of shape (k * B, *Z)
            Codes.
        detached : bool, default=False
            Hold the distribution's own parameters fixed, so that a gradient comes by way of z alone.
        """

    def kl(self, prior: Prior) -> Tensor:
        """KL(q || prior) in nats, (B,): in closed form where the prior knows one."""
        return prior.kl(self)
