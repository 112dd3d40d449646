"""The sparse autoencoder as an estimator."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from xhat.estimators._constraints import EVERY, WHOLE
from xhat.estimators._transformer import Transformer


@dataclass(eq=False, repr=False)
class SAE(Transformer):
    """A dictionary of which each row takes k words.

    Parameters
    ----------
    n_components : int, default=512
        Words of the dictionary, several times the features.
    k : int, default=16
        Words that a row takes; all of them where there are fewer.

    All else is as with `AE`.

    References
    ----------
    Gao et al., "Scaling and Evaluating Sparse Autoencoders", 2024.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**EVERY, "k": [WHOLE]}

    n_components: int | float = 512
    _: KW_ONLY
    k: int = 16

    @property
    def _kind(self) -> str:
        return "sae"

    def _changes(self) -> dict[str, Any]:
        return {"recipe.k": min(self.k, int(self.n_components))}
