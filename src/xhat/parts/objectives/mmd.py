"""Wasserstein autoencoder by maximum mean discrepancy between the codes and the prior."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.objectives._distances import squares

SCALES = (0.1, 0.5, 1.0, 2.0, 10.0)


class MMD(Objective):
    r"""Match the codes' distribution to the prior's.

    .. math:: L = E[-\log p(x|z)] + \lambda\, \mathrm{MMD}_k^2(q(z), p(z))

    with :math:`k(a, b) = \sum_s C_s / (C_s + \|a - b\|^2)`, :math:`C_s = 2 d s`, d the code's size.

    The discrepancy belongs to the batch and not to a row; weights of rows do not enter it.

    Parameters
    ----------
    weight : float or Schedule, default=10.0
        λ, in nats. Must be >= 0.
    scales : tuple of float
        s. Several, because one bandwidth is blind to all distances but its own.

    References
    ----------
    Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018, algorithm 2.
    """

    def __init__(self, weight: Coefficient = 10.0, *, scales: tuple[float, ...] = SCALES) -> None:
        super().__init__()
        self.weight = coefficient(weight, "MMD", "weight", hint="use objectives/reconstruction for none")
        self.scales = checked_scales(scales, "MMD")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and the discrepancy, ()."""
        code = model.encode(batch)
        z = code.rsample()  # (B, *Z)
        data = model.decode(z, batch)
        prior = model.prior.sample(len(z))  # (B, *Z)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            mmd=self.now(self.weight) * discrepancy(z.flatten(1), prior.flatten(1), self.scales),  # (): of the batch
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Weigh the discrepancy by one."""
        return cls(1.0)


def discrepancy(a: Float[Tensor, "N d"], b: Float[Tensor, "M d"], scales: tuple[float, ...]) -> Float[Tensor, ""]:
    r"""Estimate MMD² without bias.

    .. math:: \frac{\sum_{i \ne j} k(a_i, a_j)}{N (N - 1)} + \frac{\sum_{i \ne j} k(b_i, b_j)}{M (M - 1)}
              - \frac{2 \sum_{ij} k(a_i, b_j)}{N M}

    A batch of one row has no pairs: its own sum is then 0 and only the cross term is left.
    """
    return _within(a, scales) + _within(b, scales) - 2 * _kernel(a, b, scales).mean()


def checked_scales(scales: tuple[float, ...], who: str) -> tuple[float, ...]:
    """Refuse scales that are none."""
    positive = bool(scales) and min(scales) > 0
    require(positive, who, "scales must be one or more numbers > 0", scales, "try (0.5, 1, 2)")
    return scales


def _within(a: Tensor, scales: tuple[float, ...]) -> Tensor:
    n = len(a)
    # On the diagonal k(a, a) = 1 for each scale.
    return (_kernel(a, a, scales).sum() - n * len(scales)) / max(n * (n - 1), 1)


def _kernel(a: Tensor, b: Tensor, scales: tuple[float, ...]) -> Tensor:
    distances = squares(a, b)  # (N, M)
    constants = [2 * a.shape[1] * scale for scale in scales]
    return torch.stack([c / (c + distances) for c in constants]).sum(0)
