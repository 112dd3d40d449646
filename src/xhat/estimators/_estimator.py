"""What every estimator is: scikit-learn's conventions around one fit of xhat."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.engine.hook import Hook
from xhat.engine.progress import ProgressBar
from xhat.engine.settings import TrainSettings
from xhat.models.artifact import load as load_fitted
from xhat.models.artifact import save as save_fitted
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted
from xhat.runs.fit import execute
from xhat.runs.plan import make_plan

Rows = NDArray[Any]


class Estimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the estimators. Constructors only store; `fit` makes everything whose name ends in ``_``."""

    # The constructor's arguments, of every estimator. Each lists them again: scikit-learn reads its signature.
    n_components: int
    net: str
    hidden: tuple[int, ...] | None
    likelihood: str | None
    scale: str
    init: str
    batch_size: int | str
    max_iter: int | str
    learning_rate: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int | None
    warm_start: bool
    device: str
    random_state: Any
    verbose: int
    callbacks: Sequence[Hook] | None

    fitted_: Fitted

    @property
    @abstractmethod
    def _kind(self) -> str:
        """The recipe."""

    def _changes(self) -> dict[str, Any]:
        """Give the recipe's own settings by their paths."""
        return {}

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train on rows.

        Parameters
        ----------
        X : array of shape (n_samples, n_features), or (n_samples, ...) for images and series
            Rows; NaN where a value was not observed.
        y : ignored
            Present for scikit-learn's sake.

        Returns
        -------
        self
        """
        rows = self._checked(X, reset=True)
        seed = self._seed()
        data = open_data(rows, kind="table" if rows.ndim == 2 else None, missing=_gaps(rows), name="X")
        earlier = self.model_.state_dict() if self.warm_start and hasattr(self, "fitted_") else None
        plan = make_plan(
            data,
            self._kind,
            net=self.net,
            latent=self.n_components,
            likelihood=self.likelihood,
            scale=self.scale,
            init=self.init if earlier is None else "random",
            overrides=self._overrides(),
            settings=self._settings(seed, len(rows)),
            validation=self.validation_fraction,
        )
        if earlier is not None:
            plan.recipe.model.load_state_dict(earlier)
        hooks = [*([ProgressBar()] if self.verbose else []), *(self.callbacks or [])]
        self.fitted_ = execute(plan, hooks=hooks)
        self.n_iter_ = self.fitted_.history.epochs[-1].epoch
        self.loss_curve_ = [sum(epoch.train.values()) for epoch in self.fitted_.history.epochs if epoch.train]
        self.validation_curve_ = [epoch.score for epoch in self.fitted_.history.epochs]
        self._n_features_out = size(self.model_.code_shape)
        return self

    @property
    def model_(self) -> Autoencoder:
        """The torch module."""
        check_is_fitted(self, "fitted_")
        return self.fitted_.model

    def transform(self, X: Any) -> Rows:
        """Give the codes of rows, (n_samples, n_components), in X's own precision."""
        check_is_fitted(self, "fitted_")
        rows = self._checked(X)
        return self._answer(self._at(rows).encode(self._opened(rows)).reshape(len(rows), -1), rows)

    def inverse_transform(self, X: Any) -> Rows:
        """Give the rows of codes, (n_samples, n_components) -> (n_samples, n_features)."""
        check_is_fitted(self, "fitted_")
        codes = check_array(X, dtype=(np.float64, np.float32))
        shaped = codes.reshape(len(codes), *self.model_.code_shape) if codes.shape[1] == self._n_features_out else codes
        return self._answer(self._at(codes).decode(shaped), codes)

    def reconstruct(self, X: Any) -> Rows:
        """Give the copies of rows, in X's own shape and precision."""
        check_is_fitted(self, "fitted_")
        rows = self._checked(X)
        return self._answer(self._at(rows).reconstruct(self._opened(rows)), rows)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Give minus the mean squared error of each row's copy, over observed values: higher is more normal."""
        check_is_fitted(self, "fitted_")
        rows = self._checked(X)
        copies = self._at(rows).reconstruct(self._opened(rows))
        squares = (rows.astype(np.float64) - copies).reshape(len(rows), -1) ** 2
        return -np.nanmean(squares, axis=1)

    def score(self, X: Any, y: Any = None) -> float:
        """Give the mean of `score_samples`, for model selection."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Rows:
        """Draw new rows from the prior."""
        check_is_fitted(self, "fitted_")
        return self.fitted_.sample(n_samples, seed=_seed(random_state))

    def save(self, path: str | Path) -> Path:
        """Write the model as a folder of JSON and safetensors, which `load` and every xhat command read."""
        check_is_fitted(self, "fitted_")
        return save_fitted(self.fitted_, path)

    @classmethod
    def load(cls, path: str | Path, *, device: str = "cpu") -> Self:
        """Read what `save` wrote, or a run folder."""
        estimator = cls()
        estimator.fitted_ = load_fitted(path, device=torch.device(device))
        shape = estimator.fitted_.schema.shape
        estimator.n_components = estimator._n_features_out = size(estimator.fitted_.model.code_shape)
        estimator.n_features_in_ = shape[0] if len(shape) == 1 else shape[-1]
        return estimator

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "fitted_" in state:
            # On the CPU, so that it can be read where there is no such device.
            fitted = state["fitted_"]
            model, scaling = copy.deepcopy(fitted.model).cpu(), copy.deepcopy(fitted.scaling).cpu()
            state["fitted_"] = replace(fitted, model=model, scaling=scaling)
        return state

    # What fit is told

    def _overrides(self) -> dict[str, Any]:
        hidden = {} if self.hidden is None else {"net.hidden": tuple(self.hidden)}
        return {**hidden, **self._changes()}

    def _settings(self, seed: int, rows: int) -> TrainSettings:
        epochs = None if self.max_iter == "auto" else int(self.max_iter)
        held_in = max(1, rows - max(1, round(rows * self.validation_fraction)))
        batch = None if self.batch_size == "auto" else min(int(self.batch_size), held_in)
        return TrainSettings(
            epochs=epochs,
            batch_size=batch,
            lr=self.learning_rate,
            patience=self.n_iter_no_change if self.early_stopping else 10**9,
            seed=seed,
            device=self.device,
        )

    def _seed(self) -> int:
        return _seed(self.random_state)

    # Rows in and out

    def _checked(self, X: Any, *, reset: bool = False) -> Rows:
        rows: Rows = validate_data(
            self,
            X,
            reset=reset,
            dtype="numeric",
            allow_nd=True,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 1,
        )
        return rows

    def _opened(self, rows: Rows) -> Dataset:
        fitted = self.fitted_
        options: Mapping[str, Any] = fitted.schema.opening() | {"missing": _gaps(rows), "name": "X"}
        return open_data(rows, **options, to_learn=False)

    def _at(self, rows: Rows) -> Fitted:
        """Give the model in the precision of rows: of doubles a row's answer is the same in any batch."""
        if rows.dtype == np.float32 or rows.ndim > 2:
            return self.fitted_
        return self.fitted_.double

    @staticmethod
    def _answer(values: Rows, rows: Rows) -> Rows:
        return values.astype(rows.dtype if rows.dtype.kind == "f" else np.float64, copy=False)


def _gaps(rows: Rows) -> bool:
    return rows.dtype.kind == "f" and bool(np.isnan(rows).any())


def _seed(random_state: Any) -> int:
    if random_state is None:
        # Not numpy's global state: a fit leaves no trace in it.
        return int(np.random.SeedSequence().generate_state(1)[0])
    return int(check_random_state(random_state).randint(2**31 - 1))
