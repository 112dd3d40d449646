"""The variational autoencoder of mixed tables as an estimator: frames in, frames out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from xhat.core.errors import DataError, require
from xhat.data.dataset import Dataset
from xhat.data.mixed import indexed, is_mixed
from xhat.data.open import open as open_data
from xhat.data.readers import frame
from xhat.estimators._constraints import EVERY, OWN
from xhat.estimators._explained import explained
from xhat.estimators._told import Rows, has_gaps, plan_of, seed_of
from xhat.estimators._transformer import Transformer
from xhat.estimators.vae import log_density
from xhat.metrics.reconstruction_error import mean_error, reconstruction_error
from xhat.models.fitted import Fitted
from xhat.runs.plan import Plan


@dataclass(eq=False, repr=False)
class TabularVAE(Transformer):
    """New rows of a table of numbers and categories, under conditions where these are asked for.

    Columns may be numbers, texts that repeat, categories and booleans, and may have gaps. Each has a distribution of
    its own given the code, as `likelihoods/mixed` says: numbers of several modes, whole ones as such, and categories.
    The prior is a flow that is learned with the codes (kind flowvae): rows are drawn where codes are.

    Parameters
    ----------
    n_components : int, default=16
        Code dimensions.
    beta : float or Schedule, default=0.5
        Weight of the rate; 1 is the evidence lower bound. Below it columns depend on one another more clearly.
    hidden : tuple of int, default=(128, 128)
        Widths of hidden layers, from the data's side to the code's.

    All else is as with `AE`; `scale` is "standard" or "none".

    References
    ----------
    Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014. Chen et al., "Variational Lossy Autoencoder",
    ICLR 2017, for the prior. Xu et al., "Modeling Tabular Data using
    Conditional GAN", NeurIPS 2019, for the autoencoder beside it, TVAE.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**EVERY, "beta": OWN}

    n_components: int | float = 16
    _: KW_ONLY
    hidden: tuple[int, ...] | None = (128, 128)
    beta: Any = 0.5

    @property
    def _kind(self) -> str:
        return "flowvae"

    def _changes(self) -> dict[str, Any]:
        return {"objective.beta": self.beta}

    def sample(  # type: ignore[override]  # what rows are given comes before how they are drawn
        self, n_samples: int = 1, conditions: Mapping[str, Any] | None = None, random_state: Any = None
    ) -> Any:
        """Draw new rows.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        conditions : mapping of str to object, optional
            What all rows have in some columns, as ``{"sex": "Female", "age": 30}``; the others are drawn given these.
        random_state : int, RandomState or None
            The same state gives the same rows.

        Returns
        -------
        pandas.DataFrame of shape (n_samples, n_features)
            With the columns of the frame that it was fitted to, their order and their types; numbers lie within the
            range that was seen, and nothing is missing. An array where it was fitted to one.
        """
        check_is_fitted(self, "fitted_")
        named = conditions is None or isinstance(conditions, Mapping)
        rule = "conditions must be values by the names of columns"
        hint = 'as {"sex": "Female"}; a seed goes by its name, random_state=0'
        require(named, type(self).__name__, rule, repr(conditions), hint)
        return self._shown(self.fitted_.sample(n_samples, seed=seed_of(random_state), where=conditions))

    def inverse_transform(self, X: Any) -> Any:
        """Give the rows of codes, (n_samples, n_components) -> (n_samples, n_features)."""
        return indexed(super().inverse_transform(X), X)

    def score_samples(self, X: Any) -> Any:
        """Give log p(x) of each row in nats, of numbers in their own units; see `VAE.score_samples`.

        Categories and whole numbers have probabilities, other numbers densities; what is missing counts nothing.
        """
        return super().score_samples(X)

    def explained_variance_ratio(self, X: Any) -> float:
        """Give 1 minus the copies' squared error over the mean row's, numbers standardised, categories one-hot."""
        rows, _ = self._ready(X)
        data, places = self._opened(rows), torch.arange(len(rows))
        mean = data.resident.double().nanmean(0)
        spread = mean_error(data, places, lambda batch: mean.expand_as(batch.x), self.fitted_.scaling)
        return explained(reconstruction_error(self.fitted_, data, places), spread, data.resident.numpy())

    def _scores(self, X: Any) -> NDArray[np.float64]:
        rows, fitted = self._ready(X)
        return log_density(fitted, self._opened(rows))

    # Frames in and out

    def _checked(self, X: Any, *, reset: bool = False) -> Rows:
        # An array's columns have no names: a model of one takes a frame's columns by their order.
        if not frame.accepts(X) or not (reset or self._frames):
            return super()._checked(X, reset=reset)
        table: Any = frame.as_pandas(X)
        names = [str(name) for name in table.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        who = type(self).__name__
        require(not twice, who, "columns must have names of their own", ", ".join(twice), "rename one", error=DataError)
        if is_mixed(table):
            validate_data(self, X, reset=reset, skip_check_array=True)
        else:
            super()._checked(X, reset=reset)
        return table

    def _opened(self, rows: Any) -> Dataset:
        options = self.fitted_.schema.opening() | {"missing": _gaps(rows), "name": "X"}
        return open_data(rows, **options, to_learn=False)

    def _plan(self, rows: Any) -> Plan:
        self._frames = not isinstance(rows, np.ndarray)
        data = open_data(rows if self._frames else _named(rows), kind="mixed", missing=_gaps(rows), name="X")
        return plan_of(self, data, self._kind, self._code(rows), self._changes())

    def _take(self, fitted: Fitted, data: Dataset) -> None:
        super()._take(fitted, data)
        fitted.origin["frames"] = self._frames
        self._examples = None  # categories are no lines

    def _adopt(self, kind: str) -> None:
        super()._adopt(kind)
        self._frames = bool(self.fitted_.origin.get("frames", True))

    def _at(self, rows: Any) -> Fitted:
        return super()._at(rows) if isinstance(rows, np.ndarray) and rows.dtype.kind == "f" else self.fitted_.double

    def _answer(self, values: Any, rows: Any) -> Any:  # type: ignore[override]
        if hasattr(values, "columns"):
            if self._frames:
                return indexed(values, rows)
            values = values.to_numpy()
        return super()._answer(values, rows if isinstance(rows, np.ndarray) else values.astype(np.float64))

    def _shown(self, table: Any) -> Any:
        return table if self._frames else table.to_numpy()


def _gaps(rows: Any) -> bool:
    return has_gaps(rows) if isinstance(rows, np.ndarray) else bool(rows.isna().to_numpy().any())


def _named(rows: Rows) -> Any:
    import pandas as pd

    return pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])
