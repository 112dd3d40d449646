"""The modes of one column: where a mixture of its values begins to be learned."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

# A value that so many rows share has a mode of its own.
COMMON = 0.05
# The scale of a logistic whose variance is a normal's.
LOGISTIC = math.sqrt(3) / math.pi

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Modes:
    """Weights, places and logistic scales of a mixture, (K,) each."""

    weights: Values
    places: Values
    scales: Values

    @classmethod
    def of(cls, x: Values, k: int, smallest: float) -> Modes | None:
        """Fit k of them to values (N,), or none where there are too few values.

        Parameters
        ----------
        x : array of shape (N,)
            Known values.
        k : int
            How many modes.
        smallest : float
            The lowest scale.

        Notes
        -----
        Common values begin as modes of no width, as many of them as leave half the modes to the rest; the others lie at
        even quantiles of the rest. Expectation maximisation goes on from there.
        """
        if len(x) < 2 * k or k == 1:
            return None
        values, counts = np.unique(x, return_counts=True)
        common = values[np.argsort(-counts, kind="stable")][: k // 2]
        common = common[np.isin(common, values[counts >= COMMON * len(x)])]
        rest = x[~np.isin(x, common)]
        rest = rest if len(rest) else x
        spread = np.quantile(rest, (np.arange(k - len(common)) + 0.5) / (k - len(common)))
        places = np.concatenate([common, spread])
        least = smallest / LOGISTIC
        widths = np.full(k, max(float(rest.std()) / len(spread), least))
        widths[: len(common)] = least
        mixture = GaussianMixture(
            k,
            reg_covar=least**2,
            weights_init=np.full(k, 1 / k),
            means_init=places[:, None],
            precisions_init=(1 / widths**2)[:, None, None],
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a beginning need not be the end
            mixture.fit(x[:, None])
        scales = np.sqrt(mixture.covariances_.reshape(k)) * LOGISTIC
        return cls(np.maximum(mixture.weights_, 1e-3), mixture.means_[:, 0], np.maximum(scales, smallest))
