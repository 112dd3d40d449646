"""What every estimator is: scikit-learn's conventions around one fit of xhat."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from xhat.core.component import build, config
from xhat.core.errors import require
from xhat.core.objective import Objective
from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.engine.hook import Hook
from xhat.engine.progress import ProgressBar
from xhat.engine.randomness import private_randomness
from xhat.estimators._arrays import as_numpy
from xhat.estimators._constraints import EVERY
from xhat.estimators._going_on import learn_again, take_over
from xhat.estimators._kept import adopt, record_of
from xhat.estimators._page import SHOWN, facts, strip
from xhat.estimators._steps import Steps
from xhat.estimators._told import Rows, has_gaps, hooks_of, plan_of, settings_of
from xhat.models.artifact import CONFIG
from xhat.models.artifact import load as load_fitted
from xhat.models.artifact import save as save_fitted
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted
from xhat.runs.fit import execute
from xhat.runs.plan import Plan
from xhat.runs.verdict import verdict


@dataclass(eq=False, repr=False)  # it writes the constructors that only store: scikit-learn's first rule
class Estimator(BaseEstimator):  # type: ignore[misc]
    """What all estimators are: a fit, and its facts; `AE` documents the parameters.

    `fit` makes everything whose name ends in ``_``. What a fitted model is then good for, codes, scores or filled gaps,
    is each estimator's own.
    """

    # A kind adds its own: what is not named here is not checked by scikit-learn's validation.
    _parameter_constraints: ClassVar[dict[str, Any]] = EVERY

    n_components: int | float = 2
    _: KW_ONLY
    net: Any = "auto"
    hidden: tuple[int, ...] | None = None
    likelihood: str | None = None
    scale: str = "auto"
    init: str = "auto"
    batch_size: int | str = "auto"
    max_iter: int | str = "auto"
    learning_rate: float = 2e-3
    early_stopping: bool = True
    validation_fraction: float = 0.1
    n_iter_no_change: int | None = None
    warm_start: bool = False
    device: str = "auto"
    random_state: Any = None
    verbose: int = 0
    callbacks: Sequence[Hook] | None = None

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
        self._validate_params()
        rows = self._checked(X, reset=True)
        earlier = self.fitted_ if self.warm_start and hasattr(self, "fitted_") else None
        plan = self._plan(rows)
        if earlier is not None:
            take_over(plan.recipe.model, plan.data.schema, earlier, type(self).__name__)
        hooks = [*([ProgressBar()] if self.verbose else []), *hooks_of(self)]
        self._steps: Steps | None = None
        self._take(execute(plan, hooks=hooks), plan.data)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn from some more rows: one pass over them, in the order in which they come.

        The first call begins the model, and takes its scaling from these rows; later ones, or those after `fit`, go on.
        No rows are held out, and the learning rate stays as it is: no end is known.
        """
        self._validate_params()
        first = not hasattr(self, "fitted_")
        rows = self._checked(X, reset=first)
        if first:
            plan = self._plan(rows)
            model, scaling, objective = plan.recipe.model, plan.scaling, plan.recipe.objective
            fitted = Fitted(model, scaling, plan.data.schema, config(objective), origin=plan.origin)
            self._steps = Steps.of(fitted, objective, plan.settings)
            self._take(fitted, plan.data)
        elif self._steps is None:
            settings = settings_of(self, len(rows)).resolved(len(rows))
            learn_again(self.fitted_)
            with private_randomness(settings.seed):  # a critic's weights are drawn
                objective = cast(Objective, build(self.fitted_.objective))
            self._steps = Steps.of(self.fitted_, objective, settings)
        self._steps.over(self._opened(rows), self.fitted_)
        self.fitted_.__dict__.pop("double", None)
        self.fitted_.summary = {}  # it told of the model that was
        self.n_iter_ += 1
        return self

    def _plan(self, rows: Rows) -> Plan:
        return plan_of(self, rows, self._kind, self._code(rows), self._changes())

    def _code(self, rows: Rows) -> int:
        """Choose how many code dimensions the net gets."""
        whole = isinstance(self.n_components, int | np.integer) and not isinstance(self.n_components, bool)
        hint = "a share of the variance needs AE(ordered=True)"
        require(whole, type(self).__name__, "n_components must be a whole number", repr(self.n_components), hint)
        return int(self.n_components)

    def _take(self, fitted: Fitted, data: Dataset) -> None:
        """Keep what a fit gave."""
        self.fitted_ = fitted
        if hasattr(self, "feature_names_in_"):
            names = tuple(map(str, self.feature_names_in_))
            fitted.origin["feature_names_in"] = list(names)
            # So that commands refuse columns in another order.
            plain = fitted.schema.kind == "table" and fitted.schema.mixed is None
            if plain and fitted.schema.shape == (len(names),):
                fitted.schema = replace(fitted.schema, columns=names)
        self._follow(fitted)
        self.n_components_ = size(fitted.model.code_shape)
        some = data.subset(torch.arange(min(SHOWN, len(data))))
        learned = bool(fitted.history.epochs)
        self._examples = (data.schema.to_source(some.resident.numpy()), fitted.reconstruct(some)) if learned else None

    def _follow(self, fitted: Fitted) -> None:
        """Read how a fit went."""
        epochs = fitted.history.epochs
        self.n_iter_ = epochs[-1].epoch if epochs else 0
        self.loss_curve_ = [sum(epoch.train.values()) for epoch in epochs if epoch.train]
        self.validation_curve_ = [epoch.score for epoch in epochs]

    @property
    def model_(self) -> Autoencoder:
        """The torch module."""
        check_is_fitted(self, "fitted_")
        return self.fitted_.model

    def save(self, path: str | Path) -> Path:
        """Write the model as a folder of JSON and safetensors, which `load` and every xhat command read."""
        check_is_fitted(self, "fitted_")
        return save_fitted(replace(self.fitted_, origin=self.fitted_.origin | {"estimator": record_of(self)}), path)

    @classmethod
    def load(cls, path: str | Path, *, device: str = "cpu") -> Self:
        """Read what `save` wrote, or a run folder.

        Arguments that JSON holds are those of the estimator that was saved, and so are the curves: it can be cloned,
        and goes on learning. Of the run folder of `xhat fit` they are what it tells of the net and of training.
        """
        estimator = cls()
        estimator.fitted_ = load_fitted(path, device=torch.device(device))
        estimator._adopt(str(estimator.fitted_.origin["recipe"]))
        code = size(estimator.fitted_.model.code_shape)
        estimator.n_components = estimator.n_components_ = int(estimator.fitted_.origin.get("n_components", code))
        estimator._steps, estimator._examples = None, None
        estimator._follow(estimator.fitted_)
        adopt(estimator, estimator.fitted_, str(Path(path) / CONFIG))
        schema, names = estimator.fitted_.schema, estimator.fitted_.origin.get("feature_names_in")
        estimator.n_features_in_ = schema.to_source(np.zeros((1, *schema.shape), np.float32)).shape[1]
        if names is not None:
            estimator.feature_names_in_ = np.array(names, dtype=object)
        return estimator

    def _adopt(self, kind: str) -> None:
        """Refuse a model of another kind, and take over what the kind says."""
        hint = "load it by xhat.load, which reads every kind"
        require(kind == self._kind, f"{type(self).__name__}.load", f"reads models of kind {self._kind}", kind, hint)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _html_repr(self) -> str:
        page: str = super()._html_repr()
        known = hasattr(self, "fitted_") and "error.model" in self.fitted_.summary
        if not known:
            return page
        return page + facts(self._verdict(), self.fitted_.summary) + (strip(*self._examples) if self._examples else "")

    def _verdict(self) -> str:
        """Say in a sentence or two what the fit is worth."""
        return verdict(self.fitted_.summary)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "fitted_" in state:
            # On the CPU, so that it can be read where there is no such device.
            fitted = state["fitted_"]
            model, scaling = copy.deepcopy(fitted.model).cpu(), copy.deepcopy(fitted.scaling).cpu()
            state |= {"fitted_": replace(fitted, model=model, scaling=scaling), "_steps": None}
        return state

    # Rows in and out

    def _ready(self, X: Any) -> tuple[Rows, Fitted]:
        """Check rows, and give the model in their precision."""
        check_is_fitted(self, "fitted_")
        rows = self._checked(X)
        return rows, self._at(rows)

    def _checked(self, X: Any, *, reset: bool = False) -> Rows:
        rows = validate_data(
            self,
            X,
            reset=reset,
            dtype="numeric",
            allow_nd=True,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 1,
        )
        return as_numpy(rows)

    def _opened(self, rows: Rows) -> Dataset:
        fitted = self.fitted_
        options: Mapping[str, Any] = fitted.schema.opening() | {"missing": has_gaps(rows), "name": "X"}
        return open_data(rows, **options, to_learn=False)

    def _at(self, rows: Rows) -> Fitted:
        """Give the model in the precision of rows: of doubles a row's answer is the same in any batch."""
        if rows.dtype == np.float32 or rows.ndim > 2:
            return self.fitted_
        return self.fitted_.double

    @staticmethod
    def _answer(values: Rows, rows: Rows) -> Rows:
        return values.astype(rows.dtype if rows.dtype.kind == "f" else np.float64, copy=False)
