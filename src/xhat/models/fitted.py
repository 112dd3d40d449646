"""A fitted model: the autoencoder with the facts about data that inference must not forget."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import ConfigError, DataError, ShapeError, require
from xhat.data import mixed
from xhat.data.dataset import Dataset
from xhat.data.labels import Labels
from xhat.data.open import open as open_data
from xhat.data.scaling import Scaling
from xhat.data.schema import Schema
from xhat.engine.history import History
from xhat.engine.precision import computing
from xhat.engine.randomness import private_randomness
from xhat.models.autoencoder import Autoencoder
from xhat.models.given import sample_given
from xhat.models.rows_at_once import rows_at_once

Array = NDArray[np.float32]

# Rows that are drawn or measured at once: another number would give a seed other samples.
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
    precision : str, default="32"
        Of the nets' products in `encode`, `decode` and `reconstruct`: 32, bf16, or auto for bf16 where the device gains
        from it. Scores, samples and what a fit measures have 32 bits or more whatever it says; it is not saved.
    """

    model: Autoencoder
    scaling: Scaling
    schema: Schema
    objective: dict[str, Any]
    history: History = field(default_factory=History)
    summary: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    precision: str = "32"

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
        return replace(self, model=model, scaling=scaling, precision="32")

    @property
    def rows_at_once(self) -> int:
        """How many rows are encoded or decoded together."""
        return rows_at_once(self.model, self.device)

    def encode(self, data: Any) -> Array:
        """Give the codes of rows.

        Parameters
        ----------
        data : array of shape (n_rows, ...) or anything that `xhat.data.open` reads
            Raw rows, as those that the model was fitted to; for a model that reads labels, opened with them.

        Returns
        -------
        ndarray of shape (n_rows, *code_shape)
            The deterministic codes, in the rows' order. Where there are classes and styles, as kind m2 has, they are
            the classes' probabilities and then the style.
        """
        return self._mapped(self._open(data), lambda batch: self.model.encode(batch).z)

    def encode_parts(self, data: Any) -> Iterator[Array]:
        """Give what `encode` gives, some rows at a time: of data that is streamed, more may not fit into memory."""
        return (part.numpy() for part in self._parts(self._open(data), lambda batch: self.model.encode(batch).z))

    def decode(self, codes: Any, *, labels: Any = None) -> Array:
        """Give the rows of codes.

        Parameters
        ----------
        codes : array of shape (n_rows, *code_shape)
            As `encode` gives them.
        labels : int, str or sequence of them, optional
            The class of all codes, or one for each, where the model reads them: by number or by name.

        Returns
        -------
        ndarray of shape (n_rows, ...)
            The means of p(x|z), in the data's own units and layout.
        """
        z = torch.tensor(np.asarray(codes)).to(self.scaling.spread.dtype)
        require(
            tuple(z.shape[1:]) == self.model.code_shape and len(z) > 0,
            "decode",
            f"codes must be of shape (n, {', '.join(map(str, self.model.code_shape))}) with n >= 1",
            tuple(z.shape),
            "give what encode returned",
            error=ShapeError,
        )
        hint = "leave labels out"
        require(labels is None or self.model.reads_labels, "decode", "this model reads no labels", hint=hint)
        y = None if labels is None else self._classes(labels, len(z), "decode")
        n = self.rows_at_once
        with torch.inference_mode(), self._computing():
            parts = [
                self.scaling.inverse(self.model.decode(part.to(self.device), y=of_part).mean).cpu()
                for part, of_part in zip(z.split(n), y.split(n) if y is not None else repeat(None), strict=False)
            ]
        return self._to_source(torch.cat(parts))

    def reconstruct(self, data: Any) -> Array:
        """Give x̂ of rows: the mean of p(x|z) at each row's code, in the data's own units and layout, and its index."""
        opened = self._open(data)
        return mixed.indexed(opened.schema.to_source(self.reconstruct_rows(opened)), data)

    def reconstruct_parts(self, data: Any) -> Iterator[Any]:
        """Give what `reconstruct` gives, some rows at a time."""
        opened = self._open(data)
        for part in self._parts(opened, lambda batch: self.scaling.inverse(self.model.reconstruct(batch))):
            yield opened.schema.to_source(part.numpy())

    def reconstruct_rows(self, data: Dataset) -> Array:
        """Give x̂ of an open dataset as nets see it, of shape (N, *schema.shape)."""
        return self._mapped(data, lambda batch: self.scaling.inverse(self.model.reconstruct(batch)))

    def sample(self, n: int, *, seed: int = 0, label: Any = None, where: Mapping[str, Any] | None = None) -> Any:
        """Draw new rows from the prior.

        They are the means of p(x|z), as of images; of a mixed table draws from it: there is no mean of categories.

        Parameters
        ----------
        n : int
            How many.
        seed : int, default=0
            The same one gives the same rows again.
        label : int, str or sequence of them, optional
            The class of all rows, or one for each, where the model has classes: by number or by name. By default
            classes are drawn as well.
        where : mapping of str to object, optional
            Of a mixed table: values that all rows have in some columns, as ``{"sex": "Female", "age": 30}``. The others
            are then drawn given these.

        Returns
        -------
        ndarray of shape (n, ...), or pandas.DataFrame
            In the data's own units and layout; numbers of a mixed table within the range that was seen.
        """
        whole = isinstance(n, int | np.integer) and not isinstance(n, bool)
        require(whole, "sample", "n must be a whole number", repr(n), "it is how many rows")
        require(n >= 1, "sample", "n must be >= 1", n, "ask for at least one row")
        y = None if label is None else self._classes(label, n, "sample")
        as_mapping = where is None or isinstance(where, Mapping)
        hint = 'as {"sex": "Female"}'
        require(as_mapping, "sample", "conditions must be values by the names of columns", repr(where), hint)
        if where:
            hint = "it is for frames and files of tables with categories; other tables become such with kind='mixed'"
            require(self.schema.mixed is not None, "sample", "only mixed tables know conditions", hint=hint)
            require(y is None, "sample", "takes a label or conditions, not both", hint="leave one out")
        with private_randomness(seed), torch.inference_mode():
            if where:
                rows = self.scaling.inverse(self._given(where, n)).cpu()
            else:
                labels: Iterable[Tensor | None] = repeat(None) if y is None else y.split(ROWS)
                sizes = [min(ROWS, n - start) for start in range(0, n, ROWS)]
                # In parts: what a decoder says of all rows may be many times their size.
                rows = torch.cat([self._drawn(m, part).cpu() for m, part in zip(sizes, labels, strict=False)])
        if self.schema.mixed is not None:
            return self.schema.to_source(mixed.clipped(rows.numpy(), self.schema.mixed))
        return self._to_source(rows)

    def _drawn(self, n: int, y: Tensor | None) -> Tensor:
        """Draw raw rows, (n, *X)."""
        if self.schema.mixed is not None:
            return self.scaling.inverse(self.model.draw(n, y).sample())
        return self.scaling.inverse(self.model.sample(n, y, from_prior=self.shapes_prior))

    def _given(self, where: Mapping[str, Any], n: int) -> Tensor:
        row = torch.from_numpy(mixed.known_row(where, self.schema.mixed or ())).to(self.device)  # (D,)
        return sample_given(self.model, self.scaling(row), ~row.isnan(), n)

    def batches(self, data: Dataset, rows: Tensor | None = None) -> Iterator[Batch]:
        """Give the scaled batches of an open dataset, in order, on the model's device."""
        rows = torch.arange(len(data)) if rows is None else rows
        for raw in data.walk(rows, self.rows_at_once):
            batch = raw.to(self.device)
            yield Batch(self.scaling(batch.x), mask=batch.mask, y=batch.y)

    def _open(self, data: Any) -> Dataset:
        if not isinstance(data, Dataset):
            # An array's axes may mean more than one thing: the model knows which.
            data = open_data(data, **self.schema.opening(), to_learn=False)
        self.schema.check(data.schema)
        ours, theirs = self.schema.labels, data.schema.labels
        if not (self.model.reads_labels and data.y is not None and theirs):
            return data
        if not ours:
            rule = "this model knows its classes by numbers, and these labels are names"
            raise DataError(data.schema.name, rule, theirs[0], "give each row the number of its class")
        if ours != theirs:
            schema = replace(data.schema, labels=ours)
            data = replace(data, y=Labels.renumbered(data.y, theirs, ours, data.schema.name), schema=schema)
        return data

    def _classes(self, labels: Any, n: int, who: str) -> Tensor:
        """Read classes, given by their numbers or their names, one for all or one each."""
        known, names = self.model.classes, (self.schema.labels or ()) if self.model.named else ()
        if known is None:
            raise ConfigError(who, "this model has no classes", hint="leave the label out, or fit a kind such as cvae")
        plain = np.asarray(labels).tolist()  # numpy's numbers as Python's
        given = plain if isinstance(plain, list) else [plain] * n
        # A name that looks like a number means the class of that name.
        numbers = {str(place): place for place in range(known)} | {name: place for place, name in enumerate(names)}
        require(len(given) == n, who, f"needs one label, or {n}", len(given), "give as many as rows", error=ShapeError)
        classes = []
        for label in given:
            place = numbers.get(label) if isinstance(label, str) else label
            if not isinstance(place, int) or not 0 <= place < known:
                words = f"one of {', '.join(names[:20])}" if names else f"from 0 to {known - 1}"
                raise ConfigError(who, f"a label must be {words}", label if isinstance(label, str) else repr(label))
            classes.append(place)
        return torch.tensor(classes, device=self.device)

    def _mapped(self, data: Dataset, f: Callable[[Batch], Tensor]) -> Array:
        return torch.cat(list(self._parts(data, f))).numpy()

    def _parts(self, data: Dataset, f: Callable[[Batch], Tensor]) -> Iterator[Tensor]:
        for batch in self.batches(data):
            # Around no `yield`: the caller's mode is the caller's.
            with torch.inference_mode(), self._computing():
                part = f(batch).cpu()
            yield part

    def _computing(self) -> AbstractContextManager[bool]:
        return computing([self.model.encoder, self.model.decoder], self.precision)

    def _to_source(self, rows: Tensor) -> Array:
        return self.schema.to_source(rows.numpy())
