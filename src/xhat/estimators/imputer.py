"""Gaps: rows with NaN in, rows filled out."""

from __future__ import annotations

import copy
import warnings
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from xhat.core.errors import DataError, require
from xhat.data.dataset import Dataset
from xhat.engine.randomness import private_randomness
from xhat.estimators._arrays import like
from xhat.estimators._constraints import AUTO, EVERY, WHOLE
from xhat.estimators._estimator import Estimator
from xhat.estimators._filling import drawn, filled
from xhat.estimators._told import Rows, plan_of, seed_of
from xhat.metrics.factor_analysis import FactorAnalysis, likely_factors
from xhat.models.fitted import Fitted
from xhat.models.recipe import Recipe
from xhat.runs.factor_start import start_at_factors, with_factor_path
from xhat.runs.plan import INITS, Plan

# Numbers of factors that "auto" chooses from.
FACTORS = (1, 2, 3, 5, 8, 12, 16, 24)
HIDDEN = (128, 128)


@dataclass(eq=False, repr=False)
class Imputer(TransformerMixin, Estimator):  # type: ignore[misc]
    r"""Fill gaps with what a density of the rows expects there, given what was observed.

    .. math:: \hat x_m = E[x_m | x_o] \approx \sum_{i=1}^k \tilde w_i\, E[x_m | z_i], \qquad
              w_i = \frac{p(x_o|z_i)\, p(z_i)}{q(z_i|x_o)}, \quad z_i \sim q(z|x_o)

    The density is a variational autoencoder's, trained on what was observed (MIWAE). By default its training begins
    exactly at factor analysis fitted to rows with gaps, and what validation rows say chooses the epoch. Asked of
    the gaps is that they are missing at random: whether a value is missing may depend on what was observed, and not on
    itself.

    Parameters
    ----------
    n_components : int or "auto"
        Code dimensions; "auto" takes as many as let factor analysis fill best a tenth of the observed values, hidden
        from it for that.
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
        Widths of hidden layers; by default (128, 128).
    likelihood : str, optional
        By default a Student's t at each feature, whose location, scale and tail depend on the code.
    scale : {"auto", "standard", "global", …}
        "auto" takes "standard".
    init : {"auto", "factors", "random"}
        Where training begins; "auto" takes "factors".

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
        X : array of shape (n_samples, n_features)
            Rows with NaN in their gaps.

        Returns
        -------
        array of shape (n_samples, n_features_out)
            What was observed is the same bit for bit. Rows do not depend on each other.
        """
        rows, fitted = self._ready(X)
        values = filled(fitted, self._opened(rows), self.draws)
        return like(self._put(values, rows), X)

    def impute_draws(self, X: Any, n_draws: int = 10, random_state: Any = None) -> Rows:
        """Fill the gaps of rows several times, with draws of what may stand there: multiple imputation.

        What differs between the draws is what is not known: an analysis that is made of each of them, and pooled, has
        honest errors.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Rows with NaN in their gaps.
        n_draws : int, default=10
            M.
        random_state : int, RandomState or None
            Of the draws.

        Returns
        -------
        ndarray of shape (n_draws, n_samples, n_features_out)
        """
        rows, fitted = self._ready(X)
        values = drawn(fitted, self._opened(rows), n_draws, self.draws, seed_of(random_state))
        return np.stack([self._put(part, rows) for part in values])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the columns of what `transform` gives."""
        check_is_fitted(self, "fitted_")
        names = _check_feature_names_in(self, input_features)
        kept = names[self._kept]
        return np.concatenate([kept, self.indicator_.get_feature_names_out(names)]) if self.add_indicator else kept

    @property
    def _kept(self) -> NDArray[np.bool_]:
        return np.ones(len(self._known), dtype=bool) if self.keep_empty_features else self._known

    def _put(self, values: Rows, rows: Rows) -> Rows:
        """Put values (N, known features) in the gaps of rows."""
        answer = self._answer(rows, rows).copy()
        whole = np.zeros_like(answer)
        whole[:, self._known] = values
        gaps = np.isnan(answer)
        answer[gaps] = whole[gaps]
        answer = answer[:, self._kept]
        if not self.add_indicator:
            return answer
        return np.hstack([answer, self.indicator_.transform(rows).astype(answer.dtype)])

    def _plan(self, rows: Rows) -> Plan:
        self._known: NDArray[np.bool_] = np.array(~np.isnan(rows.astype(np.float64, copy=False)).all(axis=0))
        hint = "give some values"
        require(bool(self._known.any()), "Imputer", "needs a value in some feature", "NaN only", hint, error=DataError)
        if not self._known.all() and not self.keep_empty_features:
            came = np.flatnonzero(~self._known).tolist()
            text = f"Skipping features without any observed values: {came}. At least one non-missing value is needed."
            warnings.warn(text, UserWarning, stacklevel=3)
        if self.add_indicator:
            self.indicator_ = _indicator(rows)
        rows = rows[:, self._known]
        at_factors = self.init in ("auto", "factors")
        told = copy.copy(self)
        told.init = "random" if at_factors else self.init
        told.scale = "standard" if self.scale == "auto" else self.scale
        told.hidden = HIDDEN if self.hidden is None else self.hidden
        plan = plan_of(told, rows, self._kind, self._code(rows), self._changes())
        return _at_factors(plan) if at_factors else plan

    def _code(self, rows: Rows) -> int:
        if self.n_components != "auto":
            return super()._code(rows)
        known = torch.from_numpy(rows.astype(np.float64))
        centred = known - known.nanmean(0)
        spread = centred.square().nanmean(0).sqrt()
        return likely_factors(centred / torch.where(spread > 0, spread, 1.0), _candidates(rows.shape[1]))

    def _changes(self) -> dict[str, Any]:
        return {"recipe.k": self.k}

    def _opened(self, rows: Rows) -> Dataset:
        return super()._opened(rows[:, self._known])

    def _checked(self, X: Any, *, reset: bool = False) -> Rows:
        rows = super()._checked(X, reset=reset)
        if rows.ndim != 2:
            raise ValueError(f"Found array with dim {rows.ndim}, while dim <= 2 is required by Imputer.")
        return rows

    def _take(self, fitted: Fitted, data: Dataset) -> None:
        super()._take(fitted, data)
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
        return imputer

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _candidates(features: int) -> tuple[int, ...]:
    return tuple(k for k in FACTORS if k < features) or (1,)


def _indicator(rows: Rows) -> MissingIndicator:
    return MissingIndicator(error_on_new=False).fit(rows)


def _at_factors(plan: Plan) -> Plan:
    """Let a plan's training begin at factor analysis of its scaled training rows."""
    batch = plan.data.batch(plan.split.train)
    scaled = plan.scaling(batch.x)
    x = scaled if batch.mask is None else scaled.masked_fill(~batch.mask, torch.nan)
    with private_randomness(plan.settings.seed):
        model = with_factor_path(plan.recipe.model)
    (code,) = model.code_shape
    start_at_factors(model, FactorAnalysis.fit(x, code))
    return replace(plan, recipe=Recipe(model, plan.recipe.objective), origin=plan.origin | {"init": "factors"})
