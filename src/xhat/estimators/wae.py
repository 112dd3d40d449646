"""The Wasserstein autoencoder as an estimator."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from xhat.estimators._constraints import EVERY, OWN
from xhat.estimators._transformer import Transformer


@dataclass(eq=False, repr=False)
class WAE(Transformer):
    """Codes that as a whole follow a normal distribution, by maximum mean discrepancy.

    Parameters
    ----------
    n_components : int, default=2
        Code dimensions.
    weight : float or Schedule, default=10.0
        Of the discrepancy, in nats.

    All else is as with `AE`.

    References
    ----------
    Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**EVERY, "weight": OWN}

    n_components: int | float = 2
    _: KW_ONLY
    weight: Any = 10.0

    @property
    def _kind(self) -> str:
        return "wae"

    def _changes(self) -> dict[str, Any]:
        return {"objective.weight": self.weight}
