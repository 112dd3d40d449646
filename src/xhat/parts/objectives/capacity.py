"""The rate is held at a capacity that follows the run."""

from __future__ import annotations

from typing import Self, cast

from xhat.core.batch import Batch
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.posterior import Posterior
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.objectives._weighing import row_mean


class Capacity(Objective):
    r"""Let the code carry C nats, no more and no fewer.

    .. math:: L = E_{q(z|x)}[-\log p(x|z)] + \gamma\, \big| E_x[\mathrm{KL}(q(z|x) \| p(z))] - C \big|

    A capacity that rises lets the code take up one factor after another, the one that saves most distortion first.
    The mean over rows stands inside the bars: rows may differ in what they need.

    Parameters
    ----------
    capacity : float or Schedule, default=25.0
        C, in nats. Must be >= 0. ``linear(0, 25, epochs=50)`` opens the code slowly, as the paper does.
    gamma : float or Schedule, default=10.0
        γ. Must be >= 0. The rate stays at C as long as γ is larger than the nats of distortion that one more nat of
        rate would save. 10 is enough against a likelihood whose scale is learned; the paper's is 1000, which leaves
        the distortion only a small part in every step.

    References
    ----------
    Burgess et al., "Understanding disentangling in beta-VAE", 2018, eq. 8.
    """

    reads = Posterior

    def __init__(self, capacity: Coefficient = 25.0, gamma: Coefficient = 10.0) -> None:
        super().__init__()
        self.capacity = coefficient(capacity, "Capacity", "capacity", hint="use 0 for a code that says nothing")
        self.gamma = coefficient(gamma, "Capacity", "gamma", hint="use objectives/beta_elbo to weigh the rate itself")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and what being off the capacity costs, ()."""
        code = cast(Posterior, model.encode(batch))
        data = model.decode(code.rsample(), batch)
        rate = row_mean(code.kl(model.prior), batch.weight)  # ()
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            off_capacity=self.now(self.gamma) * (rate - self.now(self.capacity)).abs(),  # (): of the batch
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Ask for five nats."""
        return cls(5.0, gamma=2.0)
