"""An estimator that gives codes: scikit-learn's transformer, there and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from xhat.estimators._arrays import as_numpy, like
from xhat.estimators._curve import Curve, error_curve
from xhat.estimators._estimator import Estimator
from xhat.estimators._explained import explained
from xhat.estimators._told import Rows, seed_of


@dataclass(eq=False, repr=False)
class Transformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):  # type: ignore[misc]
    """Rows to codes and back, with scores by how well they are copied; `AE` documents the parameters."""

    @property
    def _n_features_out(self) -> int:
        return int(self.n_components_)

    def transform(self, X: Any) -> Any:
        """Give the codes of rows, (n_samples, n_components), in X's own precision."""
        return like(self._codes(X), X)

    def _codes(self, X: Any) -> Rows:
        rows, fitted = self._ready(X)
        return self._answer(fitted.encode(self._opened(rows)).reshape(len(rows), -1), rows)

    def inverse_transform(self, X: Any) -> Any:
        """Give the rows of codes, (n_samples, n_components) -> (n_samples, n_features)."""
        check_is_fitted(self, "fitted_")
        codes = as_numpy(check_array(X))
        codes = self._whole(codes if codes.dtype.kind == "f" else codes.astype(np.float64))
        shaped = codes.reshape(len(codes), *self.model_.code_shape) if codes.shape[1] == self._n_features_out else codes
        return like(self._answer(self._at(codes).decode(shaped), codes), X)

    def _whole(self, codes: Rows) -> Rows:
        """Fill in what codes lack of the model's own."""
        return codes

    def reconstruct(self, X: Any) -> Any:
        """Give the copies of rows, in X's own shape and precision."""
        rows, fitted = self._ready(X)
        return like(self._answer(fitted.reconstruct(self._opened(rows)), rows), X)

    def score_samples(self, X: Any) -> Any:
        """Give a number for each row: higher is more normal.

        Minus the mean squared error of the row's copy, over observed values. Of a `VAE`, which is a density, log p(x).
        """
        return like(self._scores(X), X)

    def _scores(self, X: Any) -> NDArray[np.float64]:
        rows, fitted = self._ready(X)
        copies = fitted.reconstruct(self._opened(rows))
        squares = (rows.astype(np.float64) - copies).reshape(len(rows), -1) ** 2
        return -np.nanmean(squares, axis=1)

    def score(self, X: Any, y: Any = None) -> float:
        """Give the mean of `score_samples`, for model selection."""
        return float(self.score_samples(X).mean())

    def explained_variance_ratio(self, X: Any) -> float:
        """Give the share of the variance of rows that their copies keep: 1 minus squared errors over squared spread.

        NaN, with a warning, of one row or of rows that are all alike.
        """
        rows, fitted = self._ready(X)
        spread = float(np.nanmean((rows - np.nanmean(rows, axis=0)) ** 2))
        return explained(float(np.nanmean((rows - fitted.reconstruct(self._opened(rows))) ** 2)), spread, rows)

    def error_curve(self, X: Any) -> Curve:
        """Give the mean squared error of copies from the first k code dimensions, for k = 0, 1, …, all.

        Where codes are not ordered, "first" are those that vary most.
        """
        rows, _ = self._ready(X)
        return error_curve(self.fitted_, self._opened(rows), ordered=self._is_ordered())

    def plot_error_curve(self, X: Any, ax: Any = None) -> Any:
        """Draw `error_curve`, whose elbow says how many dimensions rows need; give the axes."""
        from matplotlib import pyplot

        curve = self.error_curve(X)
        ax = pyplot.gca() if ax is None else ax
        ax.plot(np.arange(len(curve)), curve, marker="o")
        ax.set(xlabel="code dimensions kept", ylabel="mean squared error", ylim=(0, None))
        return ax

    def _is_ordered(self) -> bool:
        return False

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Rows:
        """Draw new rows from the prior."""
        check_is_fitted(self, "fitted_")
        return self.fitted_.sample(n_samples, seed=seed_of(random_state))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
