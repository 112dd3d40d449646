"""A grid search whose candidates train together."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from itertools import product
from typing import Any, Self

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.utils import indexable
from sklearn.utils.metaestimators import _safe_split

from xhat.core.errors import require
from xhat.estimators._fit_together import fit_together


class Search(GridSearchCV):  # type: ignore[misc]
    """Search a grid of arguments by cross-validation, as `sklearn.model_selection.GridSearchCV` does.

    All candidates of all splits are planned first. Those whose nets, batches and steps agree train in one program, the
    others one by one: weights of the objective, learning rates and splits can all be tried at once, sizes of nets each
    by itself. Results are those of `GridSearchCV` to rounding, where `random_state` is given.

    Parameters
    ----------
    estimator : estimator
        Of `xhat.estimators`; any other is fitted as it is.
    param_grid : dict or list of dict
        Names of arguments with the values to try.
    scoring, refit, cv, verbose, error_score, return_train_score
        As in `GridSearchCV`; `n_jobs` is not needed and ignored. Without `scoring` it is the estimator's `score`.

    Attributes
    ----------
    cv_results_, best_estimator_, best_params_, best_score_, best_index_, n_splits_, scorer_, refit_time_
        As in `GridSearchCV`. `mean_fit_time` is each one's share of the time of all.

    Examples
    --------
    >>> import numpy as np, xhat
    >>> from xhat.estimators.search import Search
    >>> X = np.random.default_rng(0).normal(size=(60, 5)).astype("float32")
    >>> vae = xhat.VAE(2, hidden=(8,), max_iter=2, random_state=0)
    >>> search = Search(vae, {"beta": [0.5, 1.0], "learning_rate": [1e-3, 1e-2]}, cv=2).fit(X)
    >>> search.transform(X).shape
    (60, 2)
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit every candidate to every split, and the best one to all rows.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Rows.
        y : array of shape (n_samples,), optional
            What splits and scores may use; models do not see it.
        **params
            None is known.

        Returns
        -------
        self
        """
        require(not params, "Search", "fit takes rows and labels alone", ", ".join(params) or None, "leave it out")
        self._validate_params()
        X, y = indexable(X, y)
        scorer = check_scoring(self.estimator, self.scoring)
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(splitter.split(X, y))
        candidates = list(ParameterGrid(self.param_grid))
        pairs = list(product(candidates, splits))
        estimators = [clone(self.estimator).set_params(**clone(chosen, safe=False)) for chosen, _ in pairs]
        parts = [(_safe_split(self.estimator, X, y, train), train, test) for _, (train, test) in pairs]
        if self.verbose:
            print(f"Fitting {len(splits)} folds for each of {len(candidates)} candidates, {len(pairs)} fits")
        start = time.perf_counter()
        failed = fit_together(estimators, [given for given, _, _ in parts])
        seconds = (time.perf_counter() - start) / len(pairs)
        out = []
        for estimator, why, (seen, train, test) in zip(estimators, failed, parts, strict=True):
            left = _safe_split(self.estimator, X, y, test, train)
            out.append(self._scored(scorer, estimator, why, seen, left) | {"fit_time": seconds})
        broken = [why for why in failed if why is not None]
        if broken:
            if len(broken) == len(failed) or self.error_score == "raise":
                raise broken[0]
            warnings.warn(f"{len(broken)} of {len(failed)} fits failed: {broken[0]}", FitFailedWarning, stacklevel=2)
        self._choose(candidates, len(splits), out, X, y)
        self.scorer_ = scorer
        return self

    def _scored(self, scorer: Any, estimator: Any, why: Exception | None, seen: Any, left: Any) -> dict[str, Any]:
        start = time.perf_counter()
        test = self._score_of(scorer, estimator, why, left)
        result = {"test_scores": test, "score_time": time.perf_counter() - start, "n_test_samples": len(left[0])}
        if self.return_train_score:
            result["train_scores"] = self._score_of(scorer, estimator, why, seen)
        return result

    def _score_of(self, scorer: Any, estimator: Any, why: Exception | None, rows: tuple[Any, Any]) -> Any:
        if why is not None:
            names = getattr(scorer, "_scorers", None)
            return self.error_score if names is None else dict.fromkeys(names, self.error_score)
        return scorer(estimator, *rows) if rows[1] is not None else scorer(estimator, rows[0])

    def _choose(self, candidates: list[Any], splits: int, out: list[dict[str, Any]], X: Any, y: Any) -> None:
        """Rank the candidates, and fit the best one again."""
        results = self._format_results(candidates, splits, out)
        self.cv_results_, self.n_splits_ = results, splits
        self.multimetric_ = isinstance(out[0]["test_scores"], Mapping)
        metric = self.refit if self.multimetric_ else "score"
        named = not self.multimetric_ or callable(self.refit) or not self.refit or f"mean_test_{metric}" in results
        require(named, "Search", "refit must name one of several scores", repr(self.refit), "as refit='score'")
        if self.multimetric_ and not self.refit:
            return
        if callable(self.refit):
            self.best_index_ = int(self.refit(results))
        else:
            self.best_index_ = int(results[f"rank_test_{metric}"].argmin())
            self.best_score_ = results[f"mean_test_{metric}"][self.best_index_]
        self.best_params_ = results["params"][self.best_index_]
        if self.refit:
            start = time.perf_counter()
            self.best_estimator_ = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
            self.best_estimator_.fit(X) if y is None else self.best_estimator_.fit(X, y)
            self.refit_time_ = time.perf_counter() - start
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = np.asarray(self.best_estimator_.feature_names_in_)
