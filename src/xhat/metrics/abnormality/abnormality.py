"""What every score of abnormality is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import ArtifactError, DataError, require
from xhat.core.shapes import per_row
from xhat.data.dataset import Dataset
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import ROWS, Fitted


class Abnormality(ABC):
    """A number for each row, higher where it is less like the rows that were learned from, and its parts.

    A score that compares with those rows keeps what it needs of them as tensors; one that does not keeps none.
    Models are asked in double precision: a row's score is then the same to 1e-12 in any batch.
    """

    # Whether a normal row's own score is what it would be if it had not been among them.
    leaves_out: ClassVar[bool] = False

    @classmethod
    def check(cls, model: Autoencoder, data: Dataset) -> None:
        """Refuse models and rows that this score has no meaning for, before time is spent on them.

        Raises
        ------
        ConfigError
            When the score cannot be of such a model.
        DataError
            When a row has no observed value.
        """
        if not data.schema.missing and data.mask is None:
            return
        for part in torch.arange(len(data)).split(ROWS):
            mask = data.batch(part).mask
            assert mask is not None
            empty = (~mask.flatten(1).any(1)).nonzero()[:1, 0]
            rule = "a row needs some observed value to be scored"
            came = f"none in row {int(part[empty])}" if len(empty) else None
            require(came is None, data.schema.name, rule, came, "leave such rows out", error=DataError)

    @classmethod
    def fit(cls, fitted: Fitted, data: Dataset) -> Self:
        """Look at normal rows, through the model that was fitted to them."""
        cls.check(fitted.model, data)
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
        return self._mapped(self._of, fitted, data)

    def parts(self, fitted: Fitted, data: Dataset) -> Float[Tensor, "N *X"]:
        """Say how much each feature adds to the score; one that was not observed adds nothing."""
        return self._mapped(self._parts_of, fitted, data)

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

    def _mapped(self, f: Callable[[Fitted, Batch], Tensor], fitted: Fitted, data: Dataset) -> Tensor:
        double, opened = fitted.double, fitted._open(data)
        self.check(fitted.model, opened)
        with torch.inference_mode():
            return torch.cat([f(double, batch).double().cpu() for batch in double.batches(opened)])
