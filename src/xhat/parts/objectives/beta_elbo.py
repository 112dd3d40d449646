"""The evidence lower bound, with a weight on its rate: the variational autoencoder."""

from __future__ import annotations

from typing import Self, cast

from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.catalogue import kind_of
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.posterior import Posterior
from xhat.core.prior import Prior
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.objectives._weighing import row_mean


class BetaELBO(Objective):
    r"""Bound the evidence from below.

    .. math:: L = E_{q(z|x)}[-\log p(x|z)] + \beta\, \mathrm{KL}(q(z|x) \| p(z))

    With free bits λ the rate is
    :math:`\sum_j \max(\lambda, E_x[\mathrm{KL}_j])`: below λ nats a code dimension is not pressed further.

    Parameters
    ----------
    beta : float or Schedule, default=1.0
        β. 1 is the bound itself. Must be >= 0. ``linear(0, 1, epochs=10)`` warms up; validation always counts the
        last value, so that epochs compare.
    free_bits : float, default=0.0
        λ, in nats for each code dimension.

    References
    ----------
    Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014. Higgins et al., "beta-VAE", ICLR 2017.
    Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", 2016, eq. 15, for free bits.
    """

    reads = Posterior

    def __init__(self, beta: Coefficient = 1.0, *, free_bits: float = 0.0) -> None:
        super().__init__()
        require(free_bits >= 0, "BetaELBO", "free_bits must be >= 0", free_bits, "use free_bits=0 for none")
        self.beta = coefficient(beta, "BetaELBO", "beta", hint="use beta=0 for a pure reconstruction loss")
        self.free_bits = free_bits

    def check(self, model: Model) -> None:
        """Refuse free bits of a prior that knows no KL for each dimension."""
        known = type(model.prior).kl_per_dimension is not Prior.kl_per_dimension
        rule, hint = "free_bits need a prior of independent dimensions", "use free_bits=0, or priors/normal"
        require(self.free_bits == 0 or known, "BetaELBO", rule, kind_of(type(model.prior)), hint)

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and the weighted rate: (B,), or () with free bits."""
        code = cast(Posterior, model.encode(batch))  # q(z|x); see `reads`
        data = model.decode(code.rsample(), batch)  # p(x|z)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)  E_q[-log p(x|z)]
            rate=self.now(self.beta) * self._rate(model, code, batch.weight),  # β KL(q‖p)
            **code.terms,
        )

    def _rate(self, model: Model, code: Posterior, weight: Tensor | None) -> Tensor:
        if self.free_bits == 0:
            return code.kl(model.prior)  # (B,)
        # The mean over the batch comes before the floor, as in the paper: the term is the batch's, not a row's.
        return row_mean(model.prior.kl_per_dimension(code), weight).clamp(min=self.free_bits).sum()  # ()

    @classmethod
    def example(cls) -> Self:
        """Weigh the rate by a half."""
        return cls(0.5)
