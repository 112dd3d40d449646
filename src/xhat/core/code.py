"""A code: what stands behind the bottleneck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from xhat.core.errors import ConfigError

if TYPE_CHECKING:
    from xhat.core.prior import Prior


class Code:
    """A deterministic code; distributions over codes derive from it.

    Parameters
    ----------
    z : Tensor of shape (B, *Z)
        The code itself; for a distribution its mean or mode.
    **terms : Tensor of shape (B,) or ()
        What the bottleneck asks to be minimised beside the objective, in nats. Every objective adds them to its
        own: ``Loss(…, **code.terms)``.
    """

    def __init__(self, z: Tensor, **terms: Tensor) -> None:
        self.z, self.terms = z, terms

    def __len__(self) -> int:
        return len(self.z)

    def rsample(self, k: int = 1) -> Tensor:
        """Draw `k` codes for each row, differentiably.

        Returns
        -------
        Tensor of shape (k * B, *Z)
            Draw after draw, so that it passes through any decoder; ``.unflatten(0, (k, B))`` parts them.
        """
        return self.z if k == 1 else self.z.repeat(k, *(1,) * (self.z.ndim - 1))

    def kl(self, prior: Prior) -> Tensor:
        """KL divergence to `prior` in nats, of shape (B,); a point has none."""
        raise ConfigError(
            type(self).__name__,
            "a deterministic code has no KL divergence",
            hint="use a bottleneck that emits a distribution, such as bottlenecks/gaussian",
        )
