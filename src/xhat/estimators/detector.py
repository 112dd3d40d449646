"""Outliers: rows that are unlike those that a model learned from."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import OutlierMixin
from sklearn.utils._param_validation import Interval, StrOptions

from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.estimators._arrays import like
from xhat.estimators._constraints import AUTO, EVERY, WHOLE
from xhat.estimators._estimator import Estimator
from xhat.estimators._judge import Judge
from xhat.estimators._told import Rows, plan_of
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


@dataclass(eq=False, repr=False)
class Detector(OutlierMixin, Estimator):  # type: ignore[misc]
    """Find outliers with a denoising autoencoder that learned what normal rows are like.

    Rows that it is fitted to are taken for normal, for the most part. With noise in its input the net cannot copy
    rows as they come: it must know where normal rows lie, also with as many code dimensions as features.

    Parameters
    ----------
    n_components : int or "auto"
        Code dimensions; "auto" takes as many as features, 64 at most.
    method : {"neighbours", "mahalanobis", "reconstruction", "likelihood"}
        How rows are scored: by the distance of [code, residual] to the nearest normal row's; by its Mahalanobis
        distance to all normal rows; by the mean squared error of the copy, in scaled units; by -log p(x|z) in nats,
        of a Student's t at each feature unless another `likelihood` is given.
    contamination : "auto" or float in (0, 0.5]
        The share of the fitted rows that are called outliers. "auto" calls a row one that scores beyond 95 % of
        those that were held out while training.
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

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn from some more rows by one pass over them.

        What is normal and the threshold follow these rows alone; a single row does not move them.
        """
        super().partial_fit(X)
        rows = self._opened(self._checked(X))
        if len(rows) > 1:
            self._judge_by(rows, rows)
        return self

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
        rows, fitted = self._ready(X)
        opened = self._opened(rows)
        return like(opened.schema.to_source(self._judge.abnormality.parts(fitted, opened).numpy()), X)

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
        detector.offset_ = detector._judge.offset
        return detector

    def _scores(self, X: Any) -> NDArray[np.float64]:
        rows, fitted = self._ready(X)
        scores: NDArray[np.float64] = -self._judge.abnormality.score(fitted, self._opened(rows)).numpy()
        return scores

    def _changes(self) -> dict[str, Any]:
        return {"objective.corruption.sigma": self.noise}

    def _code(self, rows: Rows) -> int:
        return min(MOST, size(rows.shape[1:])) if self.n_components == "auto" else super()._code(rows)

    def _plan(self, rows: Rows) -> Plan:
        told = replace(self)
        if rows.ndim == 2:
            told.scale = "range" if self.scale == "auto" else self.scale
            told.hidden = HIDDEN if self.hidden is None and self.net in ("auto", "mlp") else self.hidden
        if self.method == "likelihood" and self.likelihood is None:
            told.likelihood = "student_t"
        plan = plan_of(told, rows, self._kind, self._code(rows), self._changes())
        for side in (plan.recipe.model.encoder, plan.recipe.model.decoder):
            if isinstance(side, PCAPathEncoder | PCAPathDecoder):
                # A net that undoes noise speaks in units of rows, not of the little that PCA leaves of them.
                side.gain.fill_(1.0)
        return plan

    def _take(self, fitted: Fitted, data: Dataset) -> None:
        super()._take(fitted, data)
        if fitted.history.epochs:
            self._judge_by(data, data.subset(split_of(fitted, data).validation))

    def _judge_by(self, data: Dataset, held_out: Dataset) -> None:
        """Choose the threshold by normal rows."""
        abnormality = METHODS[self.method].fit(self.fitted_, data)
        share, rows = (BEYOND, held_out) if self.contamination == "auto" else (float(self.contamination), data)
        scores = -abnormality.score(self._at_of(rows), rows)
        self.offset_ = float(np.quantile(scores.numpy(), share))
        told = self.contamination if self.contamination == "auto" else share
        self._judge = Judge(self.method, abnormality, told, self.offset_)

    def _at_of(self, data: Dataset) -> Fitted:
        return self.fitted_ if data.x.dtype == torch.float32 or data.x.ndim > 2 else self.fitted_.double
