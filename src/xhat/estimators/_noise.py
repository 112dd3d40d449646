"""How much noise rows hold, and how many of their axes rise above it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid

# Rows that are looked at: enough for a spectrum.
MOST = 1000

Spectrum = NDArray[np.float64]


def spectrum(rows: NDArray[np.floating]) -> Spectrum:
    """Give the min(n, D) greatest eigenvalues of the covariance of rows (n, ...), the largest first; a gap is the mean.

    Of more than 1,000 rows so many are taken, evenly.
    """
    flat = rows[:: -(-len(rows) // MOST)].reshape(-1, int(np.prod(rows.shape[1:]))).astype(np.float64)
    x = np.nan_to_num(flat - np.nanmean(flat, axis=0))  # (n, D)
    gram = x @ x.T if len(x) < x.shape[1] else x.T @ x
    return np.linalg.eigvalsh(gram)[::-1].clip(0) / (len(x) - 1)


def noise_level(rows: NDArray[np.floating]) -> float:
    r"""Estimate the standard deviation of white noise in rows (n, ...), in their own units.

    .. math:: \hat\sigma^2 = \mathrm{median}(\lambda) / \mu(D / n)

    with λ the covariance's eigenvalues and μ the median of the Marchenko-Pastur law, which those of noise follow. It
    takes for noise whatever is spread over most axes.

    References
    ----------
    Gavish and Donoho, "The Optimal Hard Threshold for Singular Values is 4/√3", IEEE Trans. Inf. Theory 2014.
    """
    values = spectrum(rows)
    return float(np.sqrt(np.median(values) / _median(_aspect(rows))))


def axes_above(rows: NDArray[np.floating], sigma: float) -> int:
    r"""Count the axes along which rows vary more than noise does: :math:`\lambda > \sigma^2 (1 + \sqrt{D/n})^2`."""
    return int((spectrum(rows) > sigma**2 * (1 + np.sqrt(_aspect(rows))) ** 2).sum())


def _aspect(rows: NDArray[np.floating]) -> float:
    return float(np.prod(rows.shape[1:]) / len(rows[:: -(-len(rows) // MOST)]))


def _median(aspect: float) -> float:
    """Give the median of the eigenvalues that are not 0 of unit noise's covariance, for D / n = `aspect`."""
    low, high = (1 - np.sqrt(aspect)) ** 2, (1 + np.sqrt(aspect)) ** 2
    # x = m - r cos t takes the square roots out of the density's ends.
    t = np.linspace(0, np.pi, 4001)
    middle, radius = (low + high) / 2, (high - low) / 2
    x = middle - radius * np.cos(t)
    weight = (radius * np.sin(t)) ** 2 / np.maximum(x, 1e-12)
    share = cumulative_trapezoid(weight, t, initial=0)
    return float(np.interp(0.5, share / share[-1], x))
