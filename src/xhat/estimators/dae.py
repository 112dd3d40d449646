"""The denoising autoencoder as an estimator."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval

from xhat.estimators._constraints import EVERY
from xhat.estimators._transformer import Transformer


@dataclass(eq=False, repr=False)
class DAE(Transformer):
    """Codes that do not follow noise: the copy of a spoiled row must be the clean one.

    Parameters
    ----------
    n_components : int, default=2
        Code dimensions.
    noise : float, default=0.3
        Standard deviation of what is added, in units of scaled rows.

    All else is as with `AE`.

    References
    ----------
    Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**EVERY, "noise": [Interval(Real, 0, None, closed="left")]}

    n_components: int | float = 2
    _: KW_ONLY
    noise: float = 0.3

    @property
    def _kind(self) -> str:
        return "dae"

    def _changes(self) -> dict[str, Any]:
        return {"objective.corruption.sigma": self.noise}
