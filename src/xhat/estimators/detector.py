"""Outliers: rows that are unlike those that a model learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import OutlierMixin
from sklearn.utils._param_validation import Interval, StrOptions

from xhat.core.errors import require
from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.data.split import Split
from xhat.estimators._arrays import like
from xhat.estimators._constraints import AUTO, EVERY, WHOLE
from xhat.estimators._estimator import Estimator
from xhat.estimators._judge import Judge
from xhat.estimators._told import Rows, plan_of
from xhat.metrics.abnormality._code_and_residual import some_rows
from xhat.metrics.abnormality.methods import METHODS
from xhat.models.fitted import Fitted
from xhat.parts.nets.pca_path import PCAPathDecoder, PCAPathEncoder
from xhat.runs.plan import Plan
from xhat.runs.reopen import split_of

# Code dimensions at most, where they are not chosen.
MOST = 64
# Widths that train in seconds; a table's normal rows need no more.
HIDDEN = (128, 64)
# The share of held-out rows beyond the threshold, where it is not chosen.
BEYOND = 0.05
# A threshold at a row's own score gives way by this share: equal rows differ in the last digits from batch to batch.
TIES = 1e-9


@dataclass(eq=False, repr=False)
class Detector(OutlierMixin, Estimator):  # type: ignore[misc]
    """Find outliers with a denoising autoencoder that learned what normal rows are like.

    Rows that it is fitted to are taken for normal, for the most part. With noise in its input the net cannot copy
    rows as they come: it must know where normal rows lie, also with as many code dimensions as features.

    Parameters
    ----------
    n_components : int or "auto"
        Code dimensions; "auto" takes as many as features, for method reconstruction half of them, 64 at most.
    method : {"neighbours", "mahalanobis", "reconstruction", "likelihood"}
        How rows are scored: by the distance of [code, residual] to the nearest normal row's; by its Mahalanobis
        distance to all normal rows; by the mean squared error of the copy, in scaled units; by -log p(x|z) in nats,
        of a Student's t at each feature unless another `likelihood` is given. Of more than 10,000 rows, or of very wide
        ones, distances are taken to a draw.
    contamination : "auto" or float in (0, 0.5]
        The share of the fitted rows that are called outliers. "auto" calls a row one that scores beyond 95 % of
        those that were held out while training, and of those that were not. Of 200 rows 20 are held out and 5 % of them
        is about the last one: there, and below, one new normal row in ten may be called an outlier.
    noise : float, default=0.3
        Standard deviation of what is added while training, in units of scaled rows.
    hidden : tuple of int, optional
        Widths of hidden layers; by default (128, 64) for tables.
    scale : {"auto", "range", "standard", "global", "unit", "none"}
        "auto" takes "range" for tables.

    All else is as with `AE`.

    Attributes
    ----------
    offset_ : float
        `decision_function` is `score_samples` minus it.
    fitted_, model_, n_iter_, loss_curve_, validation_curve_, n_features_in_, feature_names_in_
        As of `AE`.

    References
    ----------
    Vincent, "A Connection Between Score Matching and Denoising Autoencoders", Neural Computation 2011: the residual of
    a denoising autoencoder points to where rows are denser. Denouden et al. 2018, for distances of code and residual.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **EVERY,
        "n_components": [WHOLE, AUTO],
        "method": [StrOptions(set(METHODS))],
        "contamination": [AUTO, Interval(Real, 0, 0.5, closed="right")],
        "noise": [Interval(Real, 0, None, closed="left")],
    }

    n_components: Any = "auto"
    _: KW_ONLY
    method: str = "neighbours"
    contamination: Any = "auto"
    noise: float = 0.3

    @property
    def _kind(self) -> str:
        return "dae"

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what normal rows are like, and choose the threshold; what fails leaves all as it was.

        Parameters
        ----------
        X : array of shape (n_samples, n_features), or (n_samples, ...) for images and series
            Rows, normal for the most part; NaN where a value was not observed.
        y : ignored
            Present for scikit-learn's sake.

        Returns
        -------
        self
        """
        return self._whole_or_not(lambda: Estimator.fit(self, X))

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn from some more rows by one pass over them.

        What is normal and the threshold follow the latest 10,000 rows, those of `fit` among them, under the weights as
        they now are. A folder keeps no rows: what was loaded follows those that it is given from then on.
        """
        return self._whole_or_not(lambda: self._learn_more(X))

    def score_samples(self, X: Any) -> Any:
        """Give minus the abnormality of each row, (n_samples,): higher is more normal, as scikit-learn has it."""
        return like(self._scores(X), X)

    def decision_function(self, X: Any) -> Any:
        """Give `score_samples` minus `offset_`, (n_samples,): below 0 for outliers."""
        return like(self._scores(X) - self.offset_, X)

    def predict(self, X: Any) -> Any:
        """Give -1 for outliers and 1 for all others, (n_samples,)."""
        return like(np.where(self._scores(X) < self.offset_, -1, 1), X)

    def feature_contributions(self, X: Any) -> Any:
        """Say how much each feature makes a row abnormal.

        Parameters
        ----------
        X : array of shape (n_samples, n_features), or (n_samples, ...)
            Rows.

        Returns
        -------
        ndarray of X's shape
            Its sum over a row's features is minus `score_samples`. Errors and likelihoods are sums over features. Of
            distances what the residual adds is each feature's own; what the code adds is shared by the squared
            differences of features to the nearest normal row, or to the mean one. Of the Mahalanobis distance a part
            may be below 0: a feature that others would have led to expect.
        """
        rows, _ = self._ready(X)
        opened = self._opened(rows)
        return like(opened.schema.to_source(self._judge.abnormality.parts(self.fitted_, opened).numpy()), X)

    def save(self, path: str | Path) -> Path:
        """Write the model, the score and the threshold as a folder of JSON and safetensors."""
        folder = super().save(path)
        self._judge.write(folder)
        return folder

    @classmethod
    def load(cls, path: str | Path, *, device: str = "cpu") -> Self:
        """Read what `save` wrote."""
        detector = super().load(path, device=device)
        detector._judge = Judge.read(Path(path))
        detector.method, detector.contamination = detector._judge.method, detector._judge.contamination
        detector.offset_, detector._recent = detector._judge.offset, None
        return detector

    def _scores(self, X: Any) -> NDArray[np.float64]:
        rows, _ = self._ready(X)
        scores: NDArray[np.float64] = -self._judge.abnormality.score(self.fitted_, self._opened(rows)).numpy()
        return scores

    def _changes(self) -> dict[str, Any]:
        return {"objective.corruption.sigma": self.noise}

    def _code(self, rows: Rows) -> int:
        if self.n_components != "auto":
            return super()._code(rows)
        features = size(rows.shape[1:])
        # As many dimensions as features can copy every row: distances know of the code, errors alone then tell nothing.
        return min(MOST, max(1, features // 2) if self.method == "reconstruction" else features)

    def _plan(self, rows: Rows) -> Plan:
        told = replace(self)
        if rows.ndim == 2:
            told.scale = "range" if self.scale == "auto" else self.scale
            told.hidden = HIDDEN if self.hidden is None and self.net in ("auto", "mlp") else self.hidden
        if self.method == "likelihood" and self.likelihood is None:
            told.likelihood = "student_t"
        plan = plan_of(told, rows, self._kind, self._code(rows), self._changes())
        METHODS[self.method].check(plan.recipe.model, plan.data)
        for side in (plan.recipe.model.encoder, plan.recipe.model.decoder):
            if isinstance(side, PCAPathEncoder | PCAPathDecoder):
                # A net that undoes noise speaks in units of rows, not of the little that PCA leaves of them.
                side.gain.fill_(1.0)
        return plan

    def _take(self, fitted: Fitted, data: Dataset) -> None:
        super()._take(fitted, data)
        if fitted.history.epochs:
            some = data.subset(some_rows(len(data), size(data.schema.shape)))
            self._recent: Rows | None = data.schema.to_source(some.resident.numpy())
            self._judge_by(data, split_of(fitted, data))

    def _learn_more(self, X: Any) -> Self:
        self._validate_params()
        first = not hasattr(self, "fitted_")
        rows = self._checked(X, reset=first)
        earlier = None if first else self._recent
        recent = rows if earlier is None else np.concatenate([earlier, rows])
        hint = "give more rows; a folder keeps none of those that it learned from"
        require(len(recent) > 1, "Detector.partial_fit", "needs 2 rows to judge by", len(recent), hint)
        if not first:
            METHODS[self.method].check(self.fitted_.model, self._opened(rows))
        super().partial_fit(X)
        self._recent = recent[-len(some_rows(len(recent), size(recent.shape[1:]))) :]
        judged = self._opened(self._recent)
        self._judge_by(judged, Split.draw(len(judged), self.validation_fraction))
        return self

    def _judge_by(self, data: Dataset, split: Split) -> None:
        """Choose the threshold by normal rows."""
        method, auto = METHODS[self.method], self.contamination == "auto"
        # Moments that a row is part of take it for more normal than a new one. Of two rows, both are needed.
        apart = auto and not method.leaves_out and len(split.train) > 1
        abnormality = method.fit(self.fitted_, data.subset(split.train) if apart else data)
        share = BEYOND if auto else float(self.contamination)
        # Rows that were trained on are copied better than new ones: of few held-out rows they keep the threshold wide.
        known = split.train[some_rows(len(split.train), size(data.schema.shape))]
        sets = (split.validation, known) if auto else (torch.arange(len(data)),)
        scores = [-abnormality.score(self.fitted_, data.subset(rows)).numpy() for rows in sets]
        at = min(float(np.quantile(of_set, share)) for of_set in scores)
        self.offset_ = at - TIES * abs(at)
        self._judge = Judge(self.method, abnormality, self.contamination if auto else share, self.offset_)

    def _whole_or_not(self, learn: Callable[[], Self]) -> Self:
        """Keep the old model with its old threshold where the new one gets none."""
        before = dict(self.__dict__)
        try:
            return learn()
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
