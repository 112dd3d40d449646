"""The share of the variance that copies keep."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from xhat.estimators._told import Rows


def explained(error: float, spread: float, rows: Rows) -> float:
    """Give 1 minus the error of copies over that of the mean row; of rows that are all alike there is none.

    Parameters
    ----------
    error, spread : float
        Mean squared errors of the copies, and of the mean of `rows`.
    rows : array of shape (N, ...)
        Rows; NaN where a value is missing.

    Returns
    -------
    float
        NaN, with scikit-learn's warning, where no feature varies: one row alone does not.
    """
    if (np.fmax.reduce(rows) > np.fmin.reduce(rows)).any():
        return 1 - error / spread
    told = "The share of explained variance is not well-defined where no feature varies, as with fewer than two rows."
    warnings.warn(told, UndefinedMetricWarning, stacklevel=3)
    return float("nan")
