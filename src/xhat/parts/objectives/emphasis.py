"""Denoising with an emphasis: entries that were spoiled count more, or less, than those that were spared."""

from __future__ import annotations

from typing import Self

from xhat.core.batch import Batch
from xhat.core.corruption import Corruption
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.corruptions.salt_and_pepper import SaltAndPepper
from xhat.parts.objectives._spoiling import judged, spoil, taken

WHO = "Emphasis"


class Emphasis(Objective):
    r"""Encode :math:`\tilde x \sim C(\tilde x | x)`, be judged on x, entry by entry of its kind.

    .. math:: L = E_{\tilde x}\Big[-\alpha \sum_{i \in J(\tilde x)} \log p(x_i | z)
              - \beta \sum_{i \notin J(\tilde x)} \log p(x_i | z)\Big], \qquad z = f(\tilde x)

    J are the entries that were spoiled: those that the corruption hid, or those that it changed. A spoiled entry that
    came out as it was, a black pixel among pepper, is one that was spared. :math:`\alpha = \beta = 1` is denoising,
    :math:`\beta = 0` the masked autoencoder's choice; a corruption that spares nothing leaves no second sum.

    Parameters
    ----------
    corruption : Corruption, optional
        C; salt and pepper by default.
    alpha : float or Schedule, default=1.0
        α, of spoiled entries. Must be >= 0.
    beta : float or Schedule, default=0.5
        β, of the others. Must be >= 0.

    References
    ----------
    Vincent et al., "Stacked Denoising Autoencoders", JMLR 2010, section 4.4.
    """

    shapes_prior = False

    def __init__(
        self, corruption: Corruption | None = None, *, alpha: Coefficient = 1.0, beta: Coefficient = 0.5
    ) -> None:
        super().__init__()
        self.corruption = SaltAndPepper() if corruption is None else corruption
        self.alpha = coefficient(alpha, WHO, "alpha", hint="use 0 to judge the spared entries alone")
        self.beta = coefficient(beta, WHO, "beta", hint="use 0 to judge the spoiled entries alone")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give both sums, (B,) each."""
        seen = spoil(batch, self.corruption)
        spoiled = taken(batch, seen, self.corruption)  # (B, *X)
        spared = judged(batch) & ~spoiled
        code = model.encode(seen)
        data = model.decode(code.rsample(), seen)
        return Loss(
            spoiled=-self.now(self.alpha) * data.log_prob(batch.x, spoiled),  # (B,)
            spared=-self.now(self.beta) * data.log_prob(batch.x, spared),  # (B,)
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Count spoiled entries twice as much."""
        return cls(alpha=1.0, beta=0.5)
