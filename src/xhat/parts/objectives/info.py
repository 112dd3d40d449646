"""InfoVAE: the evidence lower bound with its rate eased, and the codes as a whole matched to the prior."""

from __future__ import annotations

from typing import Self, cast

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.posterior import Posterior
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.objectives.mmd import SCALES, checked_scales, discrepancy


class Info(Objective):
    r"""Weigh what a code tells of its row apart from how far all codes together are from the prior.

    .. math:: L = E_{q(z|x)}[-\log p(x|z)] + (1 - \alpha)\, \mathrm{KL}(q(z|x) \| p(z))
              + (\alpha + \lambda - 1)\, \mathrm{MMD}_k^2(q(z), p(z))

    The KL is the information between x and z plus the distance of q(z) from p(z): an α above 0 gives that information
    back, λ keeps the distance small. α = 0, λ = 1 is the ELBO; α = 1 is the MMD-VAE, a Wasserstein autoencoder whose
    encoder is random. The kernel is that of objectives/mmd. The discrepancy belongs to the batch and not to a row;
    weights of rows do not enter it.

    Parameters
    ----------
    alpha : float or Schedule, default=0.5
        α, at most 1.
    weight : float or Schedule, default=10.0
        λ, in nats; at least 1 - α.
    scales : tuple of float
        Of the kernel, as those of objectives/mmd.

    References
    ----------
    Zhao et al., "InfoVAE: Balancing Learning and Inference in Variational Autoencoders", AAAI 2019, eq. 6.
    """

    reads = Posterior

    def __init__(
        self, alpha: Coefficient = 0.5, weight: Coefficient = 10.0, *, scales: tuple[float, ...] = SCALES
    ) -> None:
        super().__init__()
        self.alpha = coefficient(alpha, "Info", "alpha", lowest=-float("inf"))
        self.weight = coefficient(weight, "Info", "weight", hint="use objectives/beta_elbo for none")
        self.scales = checked_scales(scales, "Info")
        self._weights()

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion and the rate, (B,) each, and the discrepancy, ()."""
        code = cast(Posterior, model.encode(batch))
        z = code.rsample()  # (B, *Z)
        data = model.decode(z, batch)
        prior = model.prior.sample(len(z))  # (B, *Z)
        rate, match = self._weights()
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            rate=rate * code.kl(model.prior),  # (B,)  (1 - α) KL
            mmd=match * discrepancy(z.flatten(1), prior.flatten(1), self.scales),  # ()  (α + λ - 1) MMD²
            **code.terms,
        )

    @property
    def beta(self) -> float:
        """1 - α, the weight of the rate."""
        return self._weights()[0]

    def _weights(self) -> tuple[float, float]:
        # Here and not only in the constructor: of two schedules it is known as they go.
        alpha, weight = self.now(self.alpha), self.now(self.weight)
        require(alpha <= 1, "Info", "alpha must be <= 1", alpha, "use alpha=1 for no KL at all")
        rule = f"weight must be >= 1 - alpha, which is {1 - alpha:g}"
        require(alpha + weight >= 1, "Info", rule, weight, "use alpha=0, weight=1 for the ELBO")
        return 1 - alpha, alpha + weight - 1

    @classmethod
    def example(cls) -> Self:
        """Halve the KL."""
        return cls(0.5, 2.0)
