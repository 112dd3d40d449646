"""The vector-quantised autoencoder as an estimator."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from xhat.estimators._constraints import EVERY, WHOLE
from xhat.estimators._transformer import Transformer


@dataclass(eq=False, repr=False)
class VQVAE(Transformer):
    """Codes made of entries of a learned codebook.

    Parameters
    ----------
    n_components : int, default=16
        Code dimensions; each group of them is an entry.
    entries : int, default=512
        Of the codebook.

    All else is as with `AE`.

    References
    ----------
    Van den Oord et al., "Neural Discrete Representation Learning", NeurIPS 2017.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**EVERY, "entries": [WHOLE]}

    n_components: int | float = 16
    _: KW_ONLY
    entries: int = 512

    @property
    def _kind(self) -> str:
        return "vqvae"

    def _changes(self) -> dict[str, Any]:
        return {"recipe.entries": self.entries}
