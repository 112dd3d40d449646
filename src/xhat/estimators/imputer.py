"""Gaps: rows with NaN in, rows filled out."""

from __future__ import annotations

import copy
import dataclasses
import warnings
from dataclasses import KW_ONLY, dataclass
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from xhat.core.catalogue import find
from xhat.core.errors import DataError, require
from xhat.data.dataset import Dataset
from xhat.data.scaling import OWN
from xhat.estimators._arrays import like
from xhat.estimators._constraints import AUTO, EVERY, WHOLE
from xhat.estimators._estimator import Estimator
from xhat.estimators._filling import drawn, filled
from xhat.estimators._tables import beside, check_zeros, dressed, frame_of, holds_categories, marked, opened, picked
from xhat.estimators._told import Rows, plan_of, seed_of
from xhat.metrics.factor_analysis import likely_factors
from xhat.models.fitted import Fitted
from xhat.runs.factor_start import begun_at_factors
from xhat.runs.plan import INITS, Plan

# Numbers of factors that "auto" chooses from.
FACTORS = (1, 2, 3, 5, 8, 12, 16, 24)
HIDDEN = (128, 128)
# Code dimensions of a table with categories.
MIXED = 16


@dataclass(eq=False, repr=False)
class Imputer(TransformerMixin, Estimator):  # type: ignore[misc]
    r"""Fill gaps with what a density of the rows expects there, given what was observed.

    .. math:: \hat x_m = E[x_m | x_o] \approx \sum_{i=1}^k \tilde w_i\, E[x_m | z_i], \qquad
              w_i = \frac{p(x_o|z_i)\, p(z_i)}{q(z_i|x_o)}, \quad z_i \sim q(z|x_o)

    The density is a variational autoencoder's, trained on what was observed (MIWAE). By default its training begins
    at factor analysis fitted to rows with gaps, but for heavier tails, and what validation rows say chooses the epoch.
    A row that alone has a value of some feature is not held out. Asked of the gaps is that they are missing at random:
    whether a value is missing may depend on what was observed, and not on itself.

    Frames with columns of texts, categories or booleans are filled as such: a category's gap gets the likeliest one, or
    a draw of them, and frames of the same columns and types come back. Each column then has a distribution of its own,
    as `likelihoods/mixed` says, and training begins at random.

    Parameters
    ----------
    n_components : int or "auto"
        Code dimensions; "auto" takes as many as let factor analysis fill best a tenth of the observed values, hidden
        from it for that; of tables with categories 16.
    k : int, default=10
        Draws a row while training.
    draws : int, default=256
        Draws a row while filling: with fewer it is faster, and noisier.
    add_indicator : bool, default=False
        Whether columns of 0 and 1 are appended that say where gaps were, for each feature that had some in `fit`.
    keep_empty_features : bool, default=False
        Whether features without one value in `fit` are filled with 0; else they are left out, as
        `sklearn.impute.SimpleImputer` does.
    hidden : tuple of int, optional
        Widths of hidden layers; by default (128, 128) where the net has some.
    likelihood : str, optional
        By default a Student's t at each feature, whose location, scale and tail depend on the code; of tables with
        categories the columns' own.
    scale : {"auto", "standard", "global", …}
        "auto" takes "standard".
    init : {"auto", "factors", "random"}
        Where training begins; "auto" takes "factors", and "random" for tables with categories.

    All else is as with `AE`.

    Attributes
    ----------
    indicator_ : MissingIndicator
        Where `add_indicator` is set.

    References
    ----------
    Mattei and Frellsen, "MIWAE: Deep Generative Modelling and Imputation of Incomplete Data Sets", ICML 2019. Rubin and
    Thayer, "EM Algorithms for ML Factor Analysis", Psychometrika 1982.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **EVERY,
        "n_components": [WHOLE, AUTO],
        "init": [StrOptions({*INITS, "factors"})],
        "k": [WHOLE],
        "draws": [WHOLE],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
    }

    n_components: Any = "auto"
    _: KW_ONLY
    k: int = 10
    draws: int = 256
    add_indicator: bool = False
    keep_empty_features: bool = False

    @property
    def _kind(self) -> str:
        return "miwae"

    def transform(self, X: Any) -> Any:
        """Fill the gaps of rows.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows with NaN in their gaps; of frames what pandas takes for a gap.

        Returns
        -------
        array of shape (n_samples, n_features_out), or pandas.DataFrame of a table with categories
            What was observed is the same bit for bit. Rows do not depend on each other. A frame's columns have their
            types, and whole numbers are filled by whole ones.
        """
        rows, fitted = self._ready(X)
        values = self._put(filled(fitted, self._opened(rows), self.draws), rows)
        return like(values, X) if isinstance(rows, np.ndarray) else values

    def impute_draws(self, X: Any, n_draws: int = 10, random_state: Any = None) -> Any:
        """Fill the gaps of rows several times, with draws of what may stand there: multiple imputation.

        What differs between the draws is what is not known: an analysis that is made of each of them, and pooled, has
        honest errors.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows with NaN in their gaps.
        n_draws : int, default=10
            M.
        random_state : int, RandomState or None
            Of the draws.

        Returns
        -------
        ndarray of shape (n_draws, n_samples, n_features_out), or list of frames of a table with categories
        """
        rows, fitted = self._ready(X)
        values = drawn(fitted, self._opened(rows), n_draws, self.draws, seed_of(random_state))
        copies = [self._put(part, rows) for part in values]
        return np.stack(copies) if isinstance(rows, np.ndarray) else copies

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the columns of what `transform` gives."""
        check_is_fitted(self, "fitted_")
        names = _check_feature_names_in(self, input_features)
        kept = names[self._kept]
        return np.concatenate([kept, self.indicator_.get_feature_names_out(names)]) if self.add_indicator else kept

    @property
    def _kept(self) -> NDArray[np.bool_]:
        return np.ones(len(self._known), dtype=bool) if self.keep_empty_features else self._known

    def _put(self, values: Rows, rows: Any) -> Any:
        """Put values, (N, known features) or (N, D) of a table with categories, in the gaps of rows."""
        if not isinstance(rows, np.ndarray):
            table = picked(dressed(rows, values, self.fitted_.schema.mixed or (), self._known), self._kept)
            if not self.add_indicator:
                return table
            names = self.get_feature_names_out()[self._kept.sum() :]
            return beside(table, self.indicator_.transform(marked(rows)).astype(np.float64), names)
        answer = self._answer(rows, rows).copy()
        whole = np.zeros_like(answer)
        whole[:, self._known] = values
        gaps = np.isnan(answer)
        answer[gaps] = whole[gaps]
        answer = answer[:, self._kept]
        if not self.add_indicator:
            return answer
        return np.hstack([answer, self.indicator_.transform(rows).astype(answer.dtype)])

    def _plan(self, rows: Any) -> Plan:
        marks = marked(rows)
        self._known: NDArray[np.bool_] = np.array(~np.isnan(marks.astype(np.float64, copy=False)).all(axis=0))
        hint = "give some values"
        require(bool(self._known.any()), "Imputer", "needs a value in some feature", "NaN only", hint, error=DataError)
        if not self._known.all() and not self.keep_empty_features:
            came = np.flatnonzero(~self._known).tolist()
            text = f"Skipping features without any observed values: {came}. At least one non-missing value is needed."
            warnings.warn(text, UserWarning, stacklevel=3)
        if self.add_indicator:
            self.indicator_ = _indicator(marks)
        data = known = picked(rows, self._known)
        if not isinstance(rows, np.ndarray):
            if self.keep_empty_features:
                check_zeros(rows, self._known)
            data = opened(known, kind="mixed")
        at_factors = self.init == "factors" or (self.init == "auto" and data is known)
        told = copy.copy(self)
        told.init = "random" if self.init in ("auto", "factors") else self.init
        told.scale = "standard" if self.scale == "auto" else self.scale
        told.hidden = HIDDEN if self.hidden is None and _has_layers(self.net) else self.hidden
        rule = "a gaussian has one noise for all columns, which must have one scale"
        fits = not at_factors or self.likelihood != "gaussian" or told.scale in OWN
        require(fits, "Imputer", rule, f"scale='{told.scale}'", f"use scale='{OWN[0]}', or leave likelihood out")
        plan = plan_of(told, data, self._kind, self._code(known), self._changes())
        return begun_at_factors(plan) if at_factors else plan

    def _code(self, rows: Any) -> int:
        if self.n_components != "auto":
            return super()._code(rows)
        if not isinstance(rows, np.ndarray):
            return MIXED
        few = tuple(k for k in FACTORS if k < rows.shape[1]) or (1,)
        return likely_factors(torch.from_numpy(rows.astype(np.float64, copy=False)), few)

    def _changes(self) -> dict[str, Any]:
        return {"recipe.k": self.k}

    def _opened(self, rows: Any) -> Dataset:
        known = picked(rows, self._known)
        if isinstance(rows, np.ndarray):
            return super()._opened(known)
        return opened(known, **self.fitted_.schema.opening(), to_learn=False)

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        table = frame_of(X)
        tabular = holds_categories(table) if reset and table is not None else self._tabular and not reset
        if tabular:
            hint = "give a frame with the columns of the one that it was fitted to"
            require(table is not None, "Imputer", "was fitted to a frame with categories", "an array", hint)
            validate_data(self, X, reset=reset, skip_check_array=True)
            return table
        rows = super()._checked(X, reset=reset)
        if rows.ndim != 2:
            raise ValueError(f"Found array with dim {rows.ndim}, while dim <= 2 is required by Imputer.")
        return rows

    @property
    def _tabular(self) -> bool:
        return hasattr(self, "fitted_") and self.fitted_.schema.mixed is not None

    def _at(self, rows: Any) -> Fitted:
        return super()._at(rows) if isinstance(rows, np.ndarray) else self.fitted_.double

    def _take(self, fitted: Fitted, data: Dataset) -> None:
        super()._take(fitted, data)
        if self._tabular:
            self._examples = None  # categories are no lines
        elif hasattr(self, "feature_names_in_"):  # so that `xhat impute` refuses columns in another order
            names = tuple(self.feature_names_in_[self._known].tolist())
            fitted.schema = dataclasses.replace(fitted.schema, columns=names)
        marked = self.indicator_.features_.tolist() if self.add_indicator else None
        fitted.origin["imputer"] = {
            "known": self._known.tolist(),
            "indicator": marked,
            "keep_empty_features": self.keep_empty_features,
        }

    @classmethod
    def load(cls, path: str | Path, *, device: str = "cpu") -> Self:
        """Read what `save` wrote, or the run folder of kind miwae."""
        imputer = super().load(path, device=device)
        told = imputer.fitted_.origin.get("imputer") or {"known": [True] * imputer.n_features_in_}
        imputer._known = np.array(told["known"])
        imputer.n_features_in_ = len(imputer._known)
        imputer.keep_empty_features = bool(told.get("keep_empty_features", False))
        marked = told.get("indicator")
        imputer.add_indicator = marked is not None
        if marked is not None:
            row = np.zeros((1, imputer.n_features_in_))
            row[:, marked] = np.nan
            imputer.indicator_ = _indicator(row)
        columns = imputer.fitted_.schema.mixed
        if columns is not None and not hasattr(imputer, "feature_names_in_"):  # a run of the command line
            imputer.feature_names_in_ = np.array([column.name for column in columns], dtype=object)
        return imputer

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _has_layers(net: Any) -> bool:
    """Tell whether a net, or one of a pair, takes widths of hidden layers."""
    names = [name for name in (net if isinstance(net, tuple) else [net]) if isinstance(name, str)]
    return any(
        "hidden" in signature(find(f"nets/{'mlp' if name == 'auto' else name}.encoder")).parameters for name in names
    )


def _indicator(rows: Rows) -> MissingIndicator:
    return MissingIndicator(error_on_new=False).fit(rows)
