"""The evidence lower bound, with a weight on its rate: the variational autoencoder."""

from __future__ import annotations

from typing import Self

from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.gaussian_code import GaussianCode
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective


class BetaELBO(Objective):
    r"""Bound the evidence from below.

    .. math:: L = E_{q(z|x)}[-\log p(x|z)] + \beta_t\, \mathrm{KL}(q(z|x) \| p(z))

    with :math:`\beta_t` rising linearly from 0 to β over the warm-up. With free bits λ the rate is
    :math:`\sum_j \max(\lambda, E_x[\mathrm{KL}_j])`: below λ nats a code dimension is not pressed further.

    Parameters
    ----------
    beta : float, default=1.0
        β. 1 is the bound itself. Must be >= 0.
    warmup : float, default=0
        Epochs over which the rate's weight rises. Validation always counts β in full, so that epochs compare.
    free_bits : float, default=0.0
        λ, in nats for each code dimension.

    References
    ----------
    Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014. Higgins et al., "beta-VAE", ICLR 2017.
    Bowman et al., "Generating Sentences from a Continuous Space", CoNLL 2016, for the warm-up.
    Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", 2016, eq. 15, for free bits.
    """

    reads = GaussianCode

    def __init__(self, beta: float = 1.0, *, warmup: float = 0, free_bits: float = 0.0) -> None:
        super().__init__()
        require(beta >= 0, "BetaELBO", "beta must be >= 0", beta, "use beta=0 for a pure reconstruction loss")
        require(warmup >= 0, "BetaELBO", "warmup must be >= 0", warmup, "use warmup=0 for none")
        require(free_bits >= 0, "BetaELBO", "free_bits must be >= 0", free_bits, "use free_bits=0 for none")
        self.beta, self.warmup, self.free_bits = beta, warmup, free_bits

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and the weighted rate: (B,), or () with free bits."""
        code: GaussianCode = model.encode(batch)  # type: ignore[assignment]  # q(z|x); see `reads`
        data = model.decode(code.rsample(), batch)  # p(x|z)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)  E_q[-log p(x|z)]
            rate=self._weight() * self._rate(model, code),  # β_t KL(q‖p)
        )

    def _weight(self) -> float:
        if self.training and self.warmup > 0:
            return self.beta * min(1.0, self.epoch / self.warmup)
        return self.beta

    def _rate(self, model: Model, code: GaussianCode) -> Tensor:
        if self.free_bits == 0:
            return code.kl(model.prior)  # (B,)
        # The mean over the batch comes before the floor, as in the paper: the term is the batch's, not a row's.
        return model.prior.kl_per_dimension(code).mean(0).clamp(min=self.free_bits).sum()  # ()

    @classmethod
    def example(cls) -> Self:
        """Weigh the rate by a half."""
        return cls(0.5)
