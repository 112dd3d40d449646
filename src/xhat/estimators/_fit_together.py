"""Fitting many estimators to rows of their own, at once where their models agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator

from xhat.core.errors import TrainingError
from xhat.estimators._estimator import Estimator
from xhat.runs.execute_many import execute_many


def can_join(estimator: BaseEstimator) -> bool:
    """Say whether an estimator's fit is one plan that is carried out, and nobody watches it."""
    own = type(estimator)
    if not issubclass(own, Estimator) or own.fit is not Estimator.fit:
        return False
    return not (estimator.warm_start or estimator.callbacks or estimator.verbose)


def fit_together(estimators: Sequence[BaseEstimator], rows: Sequence[tuple[Any, Any]]) -> list[Exception | None]:
    """Fit each estimator to its rows.

    Parameters
    ----------
    estimators : sequence of estimators
        Those that `can_join` are fitted together, the others one by one.
    rows : sequence of pair
        X and y that each is fitted to; models do not see y, which may be None.

    Returns
    -------
    list of Exception or None
        What went wrong with each.
    """
    failed: list[Exception | None] = [None] * len(estimators)
    plans = {}
    for i, (estimator, (X, y)) in enumerate(zip(estimators, rows, strict=True)):
        try:
            if can_join(estimator):
                estimator._validate_params()
                plans[i] = estimator._plan(estimator._checked(X, reset=True))
            else:
                estimator.fit(X) if y is None else estimator.fit(X, y)
        # Whatever an estimator refuses is told as scikit-learn tells it, with the scores that it costs.
        except Exception as error:
            failed[i] = error
    for i, done in zip(plans, execute_many(list(plans.values())), strict=True):
        if done.fitted is None:
            failed[i] = TrainingError(type(estimators[i]).__name__, "training diverged", hint=done.why)
            continue
        estimators[i]._steps = None
        estimators[i]._take(done.fitted, plans[i].data)
    return failed
