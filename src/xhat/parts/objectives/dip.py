"""Disentangled inferred prior, first kind: the covariance of the codes' means is drawn to the identity."""

from __future__ import annotations

from typing import Self, cast

from xhat.core.batch import Batch
from xhat.core.gaussian_code import GaussianCode
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.objectives._covariance import covariance, off_diagonal, off_one


class DIP(Objective):
    r"""Bound the evidence, and make the codes' means uncorrelated and of variance 1.

    .. math:: L = E_{q(z|x)}[-\log p(x|z)] + \mathrm{KL}(q(z|x) \| p(z))
              + \lambda_{od} \sum_{i \ne j} C_{ij}^2 + \lambda_d \sum_i (C_{ii} - 1)^2, \qquad
              C = \mathrm{Cov}_x[\mu(x)]

    C is that of the batch. This is DIP-VAE-I; `objectives/dip_second` matches the whole of q(z).

    Parameters
    ----------
    off_diagonal : float or Schedule, default=10.0
        :math:`\lambda_{od}`, in nats. Must be >= 0.
    diagonal : float or Schedule, default=100.0
        :math:`\lambda_d`, in nats. Must be >= 0. Smaller, and the means shrink instead of losing their correlation.

    References
    ----------
    Kumar et al., "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations", ICLR 2018, eq. 6.
    """

    reads = GaussianCode

    def __init__(self, off_diagonal: Coefficient = 10.0, diagonal: Coefficient = 100.0) -> None:
        super().__init__()
        self.off_diagonal = coefficient(off_diagonal, "DIP", "off_diagonal")
        self.diagonal = coefficient(diagonal, "DIP", "diagonal")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion and the rate, (B,), and the two penalties, ()."""
        code = cast(GaussianCode, model.encode(batch))
        data = model.decode(code.rsample(), batch)
        C = covariance(code.mean.flatten(1), batch.weight)  # (d, d)
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
