"""A fitted model: the autoencoder with the facts about data that inference must not forget."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import ShapeError, require
from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.data.scaling import Scaling
from xhat.data.schema import Schema
from xhat.engine.history import History
from xhat.engine.randomness import private_randomness
from xhat.models.autoencoder import Autoencoder

Array = NDArray[np.float32]

# Rows at once: enough to fill a processor, few enough to stay in its cache.
ROWS = 1024


@dataclass
class Fitted:
    """What `xhat.fit` and `xhat.load` give: every verb on raw data.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode.
    scaling : Scaling
        From raw rows to what the model sees.
    schema : Schema
        Of the data that it was fitted to.
    objective : dict
        How it was trained: the objective's description. A model is used without its objective, so that one of a
        user's own need not be there when it is loaded.
    history : History
        Of its training.
    summary : dict
        Its errors and sizes; see the documentation of ``summary.json``.
    origin : dict
        Where its data came from, how it was split, and how it was trained.
    """

    model: Autoencoder
    scaling: Scaling
    schema: Schema
    objective: dict[str, Any]
    history: History = field(default_factory=History)
    summary: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)

    @property
    def shapes_prior(self) -> bool:
        """Whether training drew the codes to the prior; if not, the prior was fitted to them afterwards."""
        return bool(self.origin["shapes_prior"])

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(self.model.parameters()).device

    @cached_property
    def double(self) -> Fitted:
        """A copy in double precision: a row's answer is then the same to 1e-12 in any batch."""
        model, scaling = copy.deepcopy(self.model).double(), copy.deepcopy(self.scaling).double()
        return replace(self, model=model, scaling=scaling)

    def encode(self, data: Any) -> Array:
        """Give the codes of rows.

        Parameters
        ----------
        data : array of shape (n_rows, ...) or anything that `xhat.data.open` reads
            Raw rows, as those that the model was fitted to.

        Returns
        -------
        ndarray of shape (n_rows, *code_shape)
            The deterministic codes, in the rows' order.
        """
        return self._mapped(self._open(data), lambda batch: self.model.encode(batch).z)

    def decode(self, codes: Any) -> Array:
        """Give the rows of codes.

        Parameters
        ----------
        codes : array of shape (n_rows, *code_shape)
            As `encode` gives them.

        Returns
        -------
        ndarray of shape (n_rows, ...)
            The means of p(x|z), in the data's own units and layout.
        """
        z = torch.as_tensor(np.asarray(codes)).to(self.scaling.centre.dtype)
        require(
            tuple(z.shape[1:]) == self.model.code_shape and len(z) > 0,
            "decode",
            f"codes must be of shape (n, {', '.join(map(str, self.model.code_shape))}) with n >= 1",
            tuple(z.shape),
            "give what encode returned",
            error=ShapeError,
        )
        with torch.inference_mode():
            parts = [self.scaling.inverse(self.model.decode(part.to(self.device)).mean).cpu() for part in z.split(ROWS)]
        return self._to_source(torch.cat(parts))

    def reconstruct(self, data: Any) -> Array:
        """Give x̂ of rows: the mean of p(x|z) at each row's code, in the data's own units and layout."""
        opened = self._open(data)
        return opened.schema.to_source(self.reconstruct_rows(opened))

    def reconstruct_rows(self, data: Dataset) -> Array:
        """Give x̂ of an open dataset as nets see it, of shape (N, *schema.shape)."""
        return self._mapped(data, lambda batch: self.scaling.inverse(self.model.reconstruct(batch)))

    def sample(self, n: int, *, seed: int = 0) -> Array:
        """Draw `n` new rows from the prior, in the data's own units and layout; a seed gives the same rows again."""
        with private_randomness(seed), torch.inference_mode():
            return self._to_source(self.scaling.inverse(self.model.sample(n)).cpu())

    def batches(self, data: Dataset, rows: Tensor | None = None) -> Iterator[Batch]:
        """Give the scaled batches of an open dataset, in order, on the model's device."""
        rows = torch.arange(len(data)) if rows is None else rows
        for part in rows.split(ROWS):
            batch = data.batch(part).to(self.device)
            yield Batch(self.scaling(batch.x), mask=batch.mask, y=batch.y)

    def _open(self, data: Any) -> Dataset:
        if not isinstance(data, Dataset):
            # An array's axes may mean more than one thing: the model knows which.
            data = open_data(data, **self.schema.opening(), to_learn=False)
        self.schema.check(data.schema)
        return data

    def _mapped(self, data: Dataset, f: Callable[[Batch], Tensor]) -> Array:
        with torch.inference_mode():
            return torch.cat([f(batch).cpu() for batch in self.batches(data)]).numpy()

    def _to_source(self, rows: Tensor) -> Array:
        return self.schema.to_source(rows.numpy())
