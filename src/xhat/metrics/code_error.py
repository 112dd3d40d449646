"""How far codes that were computed more coarsely are from those that were meant."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def code_error(codes: NDArray[Any], meant: NDArray[Any]) -> float:
    r"""Measure codes in units of how far apart those that were meant lie.

    .. math:: \sqrt{\frac{\sum_n \|z'_n - z_n\|^2}{\sum_n \|z_n - \bar z\|^2}}

    Codes far from zero thus cannot hide an error behind their size.

    Parameters
    ----------
    codes, meant : ndarray of shape (n_rows, ...)
        z' and z.

    Returns
    -------
    float
        0 for the same codes; 1 for an error as large as what tells one code from another. Where all that were meant
        are the same, in units of their size.
    """
    codes, meant = codes.astype(float), meant.astype(float)
    apart = np.square(meant - meant.mean(0)).sum()
    return float(np.sqrt(np.square(codes - meant).sum() / (apart or np.square(meant).sum() or 1.0)))
