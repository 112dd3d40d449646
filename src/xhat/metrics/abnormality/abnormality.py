"""What every score of abnormality is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import ArtifactError, require
from xhat.core.shapes import per_row
from xhat.data.dataset import Dataset
from xhat.models.fitted import Fitted


class Abnormality(ABC):
    """A number for each row, higher where it is less like the rows that were learned from, and its parts.

    A score that compares with those rows keeps what it needs of them as tensors; one that does not keeps none.
    """

    @classmethod
    def fit(cls, fitted: Fitted, data: Dataset) -> Self:
        """Look at normal rows, through the model that was fitted to them."""
        return cls.restore({})

    @classmethod
    def restore(cls, state: Mapping[str, Tensor]) -> Self:
        """Build it from what `state` gave.

        Raises
        ------
        ArtifactError
            When the state is not one of this score.
        """
        cls._check(state, ())
        return cls()

    def state(self) -> dict[str, Tensor]:
        """Give what was kept of the normal rows."""
        return {}

    def score(self, fitted: Fitted, data: Dataset) -> Float[Tensor, "N"]:
        """Score rows, in their order: the sum of their parts."""
        return _mapped(fitted, data, lambda batch: self._of(fitted, batch).double())

    def parts(self, fitted: Fitted, data: Dataset) -> Float[Tensor, "N *X"]:
        """Say how much each feature adds to the score."""
        return _mapped(fitted, data, lambda batch: self._parts_of(fitted, batch).double())

    def _of(self, fitted: Fitted, batch: Batch) -> Float[Tensor, "B"]:
        return per_row(self._parts_of(fitted, batch).double())

    @abstractmethod
    def _parts_of(self, fitted: Fitted, batch: Batch) -> Float[Tensor, "B *X"]:
        """Give the parts of scaled rows."""

    @classmethod
    def _check(cls, state: Mapping[str, Tensor], names: tuple[str, ...]) -> None:
        rule, came = f"keeps {', '.join(names) or 'nothing'}", ", ".join(sorted(state)) or "nothing"
        hint = "restore the folder from a copy, or fit again"
        require(sorted(state) == sorted(names), cls.__name__, rule, came, hint, error=ArtifactError)


def _mapped(fitted: Fitted, data: Dataset, f: Callable[[Batch], Tensor]) -> Tensor:
    with torch.inference_mode():
        return torch.cat([f(batch).cpu() for batch in fitted.batches(fitted._open(data))])
