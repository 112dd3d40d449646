"""Principal axes by the eigenvectors of the covariance: exact, and quick where elements are fewer than rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
# Elements beyond which eigenvectors take longer than the randomised factors that scikit-learn finds instead.
WIDEST = 2048
# Products of rows up to which double precision takes a fraction of a second; beyond it would take several.
PRODUCTS = 1e10
TOGETHER = 2048  # rows


@dataclass(frozen=True)
class Axes:
    """The mean (D,), the widest axes (K, D), the variances along them (K,) and those of the elements (D,)."""

    mean: Numbers
    axes: Numbers
    variances: Numbers
    spread: Numbers


def eigen_axes(x: NDArray[np.floating], k: int) -> Axes:
    r"""Find the `k` widest axes of rows x (N, D), D < N.

    .. math:: C = \frac{1}{N - 1} \sum_n (x_n - \mu)(x_n - \mu)^T, \qquad C v_j = \lambda_j v_j

    The mean is summed and taken away in double, block by block: of rows far from zero the difference of
    :math:`x^T x` and :math:`N \mu \mu^T` would keep no digit.

    Each axis points to where its largest entry is positive.
    """
    n, d = x.shape
    exact = np.float64 if n * d * d <= PRODUCTS else np.float32
    mean = x.mean(0, dtype=np.float64)  # (D,)
    scatter = np.zeros((d, d))
    for start in range(0, n, TOGETHER):
        apart = (x[start : start + TOGETHER] - mean).astype(exact)  # (B, D)
        scatter += apart.T @ apart
    covariance = scatter / (n - 1)
    spread = covariance.diagonal().copy()
    # All of them: to find but K takes scipy, whose import takes longer than that saves, up to a thousand elements.
    values, vectors = np.linalg.eigh(covariance)
    axes = vectors.T[::-1][:k]  # (K, D), the widest first
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return Axes(mean, axes * np.sign(largest), values[::-1][:k].clip(min=0.0), spread)
