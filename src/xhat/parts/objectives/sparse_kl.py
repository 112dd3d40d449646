"""Sparse autoencoder by rates of activity: each unit is to be active for a small share of the rows."""

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
from xhat.core.unit_code import UnitCode
from xhat.parts.objectives._weighing import row_mean

# At a rate near 0 the slope, -ρ / ρ̂, times that of a sigmoid there, ρ̂, still pulls a unit back by ρ: only what a
# quotient of float32 could not hold is cut off. Near 1 the floor is that of 1 - ρ̂, of which float32 keeps few digits.
SMALLEST, LARGEST = 1e-30, 1 - 1e-6


class SparseKL(Objective):
    r"""Hold each unit's mean activity at ρ.

    .. math:: L = E[-\log p(x|z)] + \beta \sum_j \mathrm{KL}(\rho \| \hat\rho_j), \qquad
              \hat\rho_j = \frac{\sum_b w_b z_{bj}}{\sum_b w_b}

    with :math:`\mathrm{KL}(\rho \| \hat\rho) = \rho \log \frac{\rho}{\hat\rho} + (1 - \rho) \log
    \frac{1 - \rho}{1 - \hat\rho}` between two coins. The code itself is the layer of activities, units in (0, 1) as
    of `bottlenecks/sigmoid`: a penalty on some other function of z would press units that the decoder does not see.

    The mean is that of the batch, whose rows weigh :math:`w_b`, and so is the term. Since KL is convex a small batch
    overestimates that of all rows; with B well above 1 / ρ it hardly does.

    Parameters
    ----------
    beta : float or Schedule, default=3.0
        β, in nats for each nat of KL. Must be >= 0.
    rho : float, default=0.05
        ρ. Must lie between 0 and 1.

    References
    ----------
    Ng, "Sparse autoencoder", CS294A lecture notes, 2011, section 3. Nair and Hinton, "3D Object Recognition with Deep
    Belief Nets", NIPS 2009, for the cross-entropy to a target rate.
    """

    reads = UnitCode
    shapes_prior = False
    shapes_code = True

    def __init__(self, beta: Coefficient = 3.0, *, rho: float = 0.05) -> None:
        super().__init__()
        require(0 < rho < 1, "SparseKL", "rho must lie between 0 and 1", rho, "0.05 is usual")
        self.beta = coefficient(beta, "SparseKL", "beta", hint="use objectives/reconstruction for none")
        self.rho = rho

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and the divergence of the rates, ()."""
        code = model.encode(batch)
        data = model.decode(code.rsample(), batch)
        mean = row_mean(code.z.flatten(1), batch.weight)  # (Z,)  ρ̂
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            sparsity=self.now(self.beta) * divergence(self.rho, mean),  # (): of the batch
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Ask for a fifth."""
        return cls(1.0, rho=0.2)


def divergence(rho: float, mean: Float[Tensor, "Z"]) -> Float[Tensor, ""]:
    """Add up KL(ρ‖ρ̂) in nats over units of mean activity ρ̂."""
    mean = mean.clamp(SMALLEST, LARGEST)
    target = torch.full_like(mean, rho)
    on = target * (target.log() - mean.log())
    off = (1 - target) * ((1 - target).log() - (1 - mean).log())
    return (on + off).sum()
