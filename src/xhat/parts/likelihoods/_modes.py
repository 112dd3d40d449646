"""The modes of one column: where a mixture of its values begins to be learned."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

# A value that so many rows share has a mode of its own.
COMMON = 0.05
# The scale of a logistic whose variance is a normal's.
LOGISTIC = math.sqrt(3) / math.pi

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Modes:
    """A mixture's weights, places and logistic scales, and which of its modes are one common value, (K,) each."""

    weights: Values
    places: Values
    scales: Values
    common: NDArray[np.bool_]

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
        Common values are modes of the least width, as many of them as leave half the modes to the rest. The others
        begin at even quantiles of the rest, and expectation maximisation goes on from there.
        """
        if len(x) < 2 * k or k == 1:
            return None
        values, counts = np.unique(x, return_counts=True)
        common = values[np.argsort(-counts, kind="stable")][: k // 2]
        common = common[np.isin(common, values[counts >= COMMON * len(x)])]
        shares = np.array([float((x == value).mean()) for value in common])
        rest, left = x[~np.isin(x, common)], k - len(common)
        # Where nothing else came, something still may.
        rest = rest if len(rest) >= 2 * left else x
        mixture = _mixture(rest, left, smallest / LOGISTIC)
        scales = np.sqrt(mixture.covariances_.reshape(left)) * LOGISTIC
        return cls(
            np.concatenate([shares, mixture.weights_ * (1 - shares.sum())]).clip(1e-3),
            np.concatenate([common, mixture.means_[:, 0]]),
            np.concatenate([np.full(len(common), smallest), scales]).clip(smallest),
            np.arange(k) < len(common),
        )


def _mixture(x: Values, k: int, least: float) -> GaussianMixture:
    # Here alone: their import takes a second.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(
        k,
        reg_covar=least**2,
        weights_init=np.full(k, 1 / k),
        means_init=np.quantile(x, (np.arange(k) + 0.5) / k)[:, None],
        precisions_init=np.full((k, 1, 1), 1 / max(float(x.std()) / k, least) ** 2),
        random_state=0,
        init_params="random_from_data",  # all three are given: k-means would only be asked in vain
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a beginning need not be the end
        return mixture.fit(x[:, None])
