"""The denoiser: rows in, cleaned rows out."""

from __future__ import annotations

import copy
from dataclasses import KW_ONLY, dataclass
from numbers import Real
from typing import Any, ClassVar, cast

import numpy as np
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions

from xhat.core.component import build, config
from xhat.core.corruption import Corruption
from xhat.core.errors import require
from xhat.data.dataset import Dataset
from xhat.estimators._arrays import as_numpy, like
from xhat.estimators._constraints import AUTO, EVERY, WHOLE
from xhat.estimators._estimator import Estimator
from xhat.estimators._noise import axes_above, noise_level
from xhat.estimators._told import Rows, plan_of
from xhat.estimators._trial import Trial
from xhat.models.fitted import Fitted
from xhat.parts.corruptions.gaussian_noise import GaussianNoise
from xhat.parts.corruptions.masking import Masking
from xhat.parts.corruptions.salt_and_pepper import SaltAndPepper
from xhat.parts.objectives.denoising import Denoising
from xhat.runs.plan import Plan
from xhat.runs.reopen import split_of

WHO = "Denoiser"
# What "auto" takes of values that are hidden or set to an end.
SHARE = 0.25
# Noise at least, as a share of the rows' spread: of rows without any there would be nothing to learn.
LEAST = 0.1
# Code dimensions for each axis above the noise, where rows are clean. Of 1, 2, 4 and 8 it was the best on held-out
# digits under noise of 0.5 of their range, and as good as more or nearly so under 0.125 and 0.25.
AMPLE = 4
# Code dimensions at most.
WIDEST = 256


@dataclass(eq=False, repr=False)
class Denoiser(OneToOneFeatureMixin, TransformerMixin, Estimator):  # type: ignore[misc]
    r"""Rows in, cleaned rows out, by a denoising autoencoder.

    .. math:: \hat x = g(f(\tilde x)), \qquad \min E \|g(f(C(x))) - x\|^2

    It learns from clean rows, which it spoils itself; rows that are noisy themselves will do, for their noise has no
    place in a code of few numbers, but clean ones teach more.

    Parameters
    ----------
    n_components : int or "auto"
        Code dimensions. "auto" counts the axes along which rows vary more than the noise does, and takes four times as
        many where the rows are cleaner than that themselves: there is no noise in them that a code could keep.
    corruption : {"gaussian", "masking", "salt_and_pepper"}
        What spoils rows: noise that is added; values that are hidden, which come as NaN; values that are set to the
        lowest or the highest.
    noise : float or "auto"
        How much: the noise's standard deviation in the rows' own units; the share of values, in (0, 1], that are hidden
        or set. "auto" measures the noise that the rows hold, and takes a tenth of their spread where they hold less; of
        hidden and set values it takes a quarter.

    All else is as with `AE`. Images are arrays of shape (n, height, width), or with channels.

    Attributes
    ----------
    noise_ : float
        As `noise`, in numbers.

    References
    ----------
    Vincent et al., "Stacked Denoising Autoencoders", JMLR 2010.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **EVERY,
        "n_components": [WHOLE, AUTO],
        "corruption": [StrOptions({"gaussian", "masking", "salt_and_pepper"})],
        "noise": [Interval(Real, 0, None, closed="neither"), AUTO],
    }

    n_components: Any = "auto"
    _: KW_ONLY
    corruption: str = "gaussian"
    noise: Any = "auto"

    @property
    def _kind(self) -> str:
        return "dae"

    def transform(self, X: Any) -> Any:
        """Give the cleaned rows, in X's own shape and precision; what is NaN in X is filled."""
        rows, fitted = self._ready(X)
        return like(self._answer(fitted.reconstruct(self._opened(rows)), rows), X)

    def score(self, X: Any, y: Any = None) -> float:
        """Give minus the mean squared error of cleaned rows.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Noisy rows where `y` is given; else rows to spoil as in training, by the same draws in every call, and to
            clean again.
        y : array of X's shape, optional
            The clean rows. Anything of another shape, such as labels that a pipeline passes on, is passed over.
        """
        rows, fitted = self._ready(X)
        if y is not None and np.shape(y) == rows.shape:
            clean = as_numpy(y) if hasattr(y, "shape") else np.asarray(y)
            return -float(np.nanmean((clean - fitted.reconstruct(self._opened(rows))) ** 2))
        return -Trial.of(fitted, self._opened(rows), _corruption(fitted)).cleaned

    def _take(self, fitted: Fitted, data: Dataset) -> None:
        super()._take(fitted, data)
        if fitted.history.epochs:
            trial = Trial.of(fitted, data.subset(split_of(fitted, data).validation), _corruption(fitted))
            fitted.summary |= {"error.spoiled": trial.spoiled, "error.cleaned": trial.cleaned}

    def _verdict(self) -> str:
        # How well clean rows are copied, beside PCA, says little of noise.
        summary = self.fitted_.summary
        known = "error.spoiled" in summary
        return str(Trial(summary["error.spoiled"], summary["error.cleaned"])) if known else ""

    def _plan(self, rows: Rows) -> Plan:
        told = copy.copy(self)
        if self.corruption == "salt_and_pepper" and self.scale == "auto":
            told.scale = "unit"  # there the lowest and the highest value are the same of every feature
        plan = plan_of(told, rows, self._kind, self._code(rows), {})
        objective = cast(Denoising, plan.recipe.objective)
        objective.corruption = self._spoiling(plan)
        return plan

    def _code(self, rows: Rows) -> int:
        self.noise_ = self._level(rows)
        if self.n_components != "auto":
            return int(self.n_components)
        sigma = self.noise_ if self.corruption == "gaussian" else np.sqrt(self.noise_) * float(np.nanstd(rows))
        cleaner = noise_level(rows) < 0.75 * sigma
        most = min(int(np.prod(rows.shape[1:])), WIDEST)
        return max(1, min((AMPLE if cleaner else 1) * axes_above(rows, sigma), most))

    def _level(self, rows: Rows) -> float:
        share = self.corruption != "gaussian"
        if self.noise == "auto":
            return SHARE if share else max(noise_level(rows), LEAST * float(np.nanstd(rows)))
        hint = "0.25 spoils a quarter"
        require(not share or self.noise <= 1, WHO, "noise as a share must lie in (0, 1]", self.noise, hint)
        return float(self.noise)

    def _spoiling(self, plan: Plan) -> Corruption:
        """Build the corruption of scaled rows."""
        if self.corruption == "masking":
            return Masking(self.noise_)
        centre, spread = plan.scaling.centre, plan.scaling.spread
        rule, hint = f"{self.corruption} noise needs a scale that all features share", "leave scale='auto'"
        if self.corruption == "gaussian":
            require(spread.numel() == 1, WHO, rule, self.scale, hint)
            return GaussianNoise(self.noise_ / float(spread))
        require(spread.numel() == centre.numel() == 1, WHO, rule, self.scale, hint)
        low, high = (float((end - centre) / spread) for end in (plan.data.schema.low, plan.data.schema.high))
        return SaltAndPepper(self.noise_, low, high)

    def _adopt(self, kind: str) -> None:
        super()._adopt(kind)
        fitted = self.fitted_
        kept = config(_corruption(fitted))
        names = {"gaussian_noise": "gaussian"}
        name = str(kept["kind"]).rpartition("/")[2]
        self.corruption = names.get(name, name)
        self.noise_ = kept["share"] if "share" in kept else kept["sigma"] * float(fitted.scaling.spread.mean())
        self.noise = self.noise_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _corruption(fitted: Fitted) -> Corruption:
    return cast(Denoising, build(fitted.objective)).corruption
