"""The regularised autoencoder as an estimator."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from xhat.estimators._constraints import EVERY, OWN
from xhat.estimators._transformer import Transformer


@dataclass(eq=False, repr=False)
class RAE(Transformer):
    """Short codes and a smooth decoder, with a distribution that is fitted to the codes afterwards.

    Parameters
    ----------
    n_components : int, default=2
        Code dimensions.
    beta : float or Schedule, default=1.0
        Of the codes' squared length.

    All else is as with `AE`.

    References
    ----------
    Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**EVERY, "beta": OWN}

    n_components: int | float = 2
    _: KW_ONLY
    beta: Any = 1.0

    @property
    def _kind(self) -> str:
        return "rae"

    def _changes(self) -> dict[str, Any]:
        return {"objective.beta": self.beta}
