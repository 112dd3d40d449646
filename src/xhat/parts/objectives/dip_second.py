"""Disentangled inferred prior, second kind: the covariance of q(z) is drawn to the identity."""

from __future__ import annotations

from typing import Self, cast

import torch

from xhat.core.batch import Batch
from xhat.core.gaussian_code import GaussianCode
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.objectives._covariance import covariance, off_diagonal, off_one
from xhat.parts.objectives._weighing import row_mean


class DIPSecond(Objective):
    r"""Bound the evidence, and make the dimensions of q(z) uncorrelated and of variance 1.

    .. math:: L = E_{q(z|x)}[-\log p(x|z)] + \mathrm{KL}(q(z|x) \| p(z))
              + \lambda_{od} \sum_{i \ne j} C_{ij}^2 + \lambda_d \sum_i (C_{ii} - 1)^2, \qquad
              C = \mathrm{Cov}_x[\mu(x)] + E_x[\mathrm{diag}\, \sigma^2(x)]

    C is the covariance of :math:`q(z) = E_x[q(z|x)]`, on the batch. This is DIP-VAE-II; `objectives/dip` matches the
    means alone.

    Parameters
    ----------
    off_diagonal : float or Schedule, default=10.0
        :math:`\lambda_{od}`, in nats. Must be >= 0.
    diagonal : float or Schedule, default=10.0
        :math:`\lambda_d`, in nats. Must be >= 0.

    References
    ----------
    Kumar et al., "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations", ICLR 2018, eq. 7.
    """

    reads = GaussianCode

    def __init__(self, off_diagonal: Coefficient = 10.0, diagonal: Coefficient = 10.0) -> None:
        super().__init__()
        self.off_diagonal = coefficient(off_diagonal, "DIPSecond", "off_diagonal")
        self.diagonal = coefficient(diagonal, "DIPSecond", "diagonal")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion and the rate, (B,), and the two penalties, ()."""
        code = cast(GaussianCode, model.encode(batch))
        data = model.decode(code.rsample(), batch)
        variance = row_mean(torch.exp(code.log_var).flatten(1), batch.weight)  # (d,)
        C = covariance(code.mean.flatten(1), batch.weight) + torch.diag(variance)  # (d, d)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            rate=code.kl(model.prior),  # (B,)
            off_diagonal=self.now(self.off_diagonal) * off_diagonal(C),  # (): of the batch
            diagonal=self.now(self.diagonal) * off_one(C),  # ()
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Weigh both by one."""
        return cls(1.0, 1.0)
