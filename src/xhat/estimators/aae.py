"""The adversarial autoencoder as an estimator."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from sklearn.utils._param_validation import StrOptions

from xhat.estimators._constraints import EVERY, OWN
from xhat.estimators._transformer import Transformer


@dataclass(eq=False, repr=False)
class AAE(Transformer):
    """Codes that a critic cannot tell from draws of a normal distribution.

    Parameters
    ----------
    n_components : int, default=2
        Code dimensions.
    weight : float or Schedule, default=1.0
        Of the game, in nats.
    posterior : {"deterministic", "gaussian", "implicit"}
        What is drawn for a row: its code, a Gaussian about it, or any distribution.

    All else is as with `AE`.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **EVERY,
        "weight": OWN,
        "posterior": [StrOptions({"deterministic", "gaussian", "implicit"})],
    }

    n_components: int | float = 2
    _: KW_ONLY
    weight: Any = 1.0
    posterior: str = "deterministic"

    @property
    def _kind(self) -> str:
        return "aae"

    def _changes(self) -> dict[str, Any]:
        return {"objective.weight": self.weight, "recipe.posterior": self.posterior}
