"""Total correlation, by minibatch sampling: the beta-TCVAE."""

from __future__ import annotations

import math
from typing import Self, cast

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.gaussian_code import GaussianCode
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.objectives._weighing import row_mean


class TC(Objective):
    r"""Weigh the three things that a rate pays for, each for itself.

    .. math:: L &= E_{q(z|x)}[-\log p(x|z)] + \alpha\, I + \beta\, T + \gamma\, K \\
              I &= E\Big[\log \frac{q(z|x)}{q(z)}\Big], \quad
              T = E\Big[\log \frac{q(z)}{\prod_j q(z_j)}\Big], \quad
              K = E\Big[\log \frac{\prod_j q(z_j)}{p(z)}\Big]

    the mutual information of rows and codes, the total correlation of the code's dimensions, and how far each
    dimension lies from the prior; their sum is the rate, draw by draw. :math:`q(z) = \frac1N \sum_n q(z|x_n)` is
    estimated from the B rows of the batch,

    .. math:: q(z_i) \approx \frac1N q(z_i|x_i) + \frac{N - 1}{N (B - 1)} \sum_{j \ne i} q(z_i|x_j)

    which is unbiased, and exact where the batch is the whole. It needs the other rows: the three terms are the
    batch's, and only the distortion is a row's own. Their logarithms are biased by a small batch, so that values
    compare between batches of one size alone.

    Parameters
    ----------
    beta : float or Schedule, default=6.0
        β. Must be >= 0.
    alpha, gamma : float or Schedule, default=1.0
        α and γ. Must be >= 0. All three equal to one make the bound itself.

    References
    ----------
    Chen et al., "Isolating Sources of Disentanglement in Variational Autoencoders", NeurIPS 2018, eq. 2 and 4, and
    appendix C for minibatch stratified sampling. There one row of the batch is chosen to bear the weight that makes the
    estimate unbiased; here every row bears the same share of it.
    """

    reads = GaussianCode

    def __init__(self, beta: Coefficient = 6.0, *, alpha: Coefficient = 1.0, gamma: Coefficient = 1.0) -> None:
        super().__init__()
        self.beta = coefficient(beta, "TC", "beta")
        self.alpha = coefficient(alpha, "TC", "alpha")
        self.gamma = coefficient(gamma, "TC", "gamma")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and the parts of the rate, ()."""
        code = cast(GaussianCode, model.encode(batch))
        z = code.rsample()  # (B, *Z)
        data = model.decode(z, batch)
        joint, marginals = aggregate(code, z, max(self.rows, len(batch)), batch.weight)  # (B,) log q(z), Σ_j log q(z_j)
        information = code.log_prob(z) - joint  # (B,)
        dimension_wise = marginals - model.prior.log_prob(z)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            information=self.now(self.alpha) * row_mean(information, batch.weight),  # (): of the batch
            total_correlation=self.now(self.beta) * row_mean(joint - marginals, batch.weight),  # ()
            dimension_wise=self.now(self.gamma) * row_mean(dimension_wise, batch.weight),  # ()
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Weigh the total correlation by three."""
        return cls(3.0)


def aggregate(
    code: GaussianCode, z: Float[Tensor, "B *Z"], n: int, weight: Float[Tensor, "B"] | None = None
) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
    """Estimate log q(z) and the sum of log q(z_j) for one draw a row, where the batch is a part of `n` rows."""
    log_share = shares(len(z), n, weight, z).log()  # (B, B)
    joint, marginals = log_share, torch.zeros_like(log_share[0])
    columns = (t.flatten(1).unbind(1) for t in (z, code.mean, code.log_var))
    # Dimension by dimension: evaluation never holds more than (B, B) at a time. The graph of a training step holds as
    # much for every dimension, as (B, B, Z) would.
    for z_j, mean, log_var in zip(*columns, strict=True):  # (B,) each
        squares = (z_j[:, None] - mean) ** 2 * torch.exp(-log_var)  # (B, B): draws by posteriors
        log_q = -0.5 * (squares + log_var + math.log(2 * math.pi))
        joint = joint + log_q
        marginals = marginals + torch.logsumexp(log_share + log_q, 1)
    return torch.logsumexp(joint, 1), marginals


def shares(size: int, n: int, weight: Tensor | None, like: Tensor) -> Float[Tensor, "B B"]:
    """Say how much each row's posterior counts in q(z) at each draw; every line adds up to 1."""
    weight = like.new_ones(size) if weight is None else weight.to(like)
    weight = torch.where(weight.sum() > 0, weight, 1.0)  # of rows that all count nothing, any share is one
    weight = weight / weight.mean()
    own = torch.diag(weight / n) if size > 1 else like.new_ones(1, 1)
    others = weight * (1 - torch.eye(size, dtype=like.dtype, device=like.device))  # (B, B)
    rest = (1 - own.sum(1, keepdim=True)) * others / others.sum(1, keepdim=True).clamp(min=1e-30)
    return own + rest
