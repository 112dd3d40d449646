r"""Curves: gray images of 28×28 pixels, each of a curve through three random points, thus six true dimensions.

A parabola :math:`c(t)`, :math:`t \in [0, 1]`, meets the points at :math:`t = 0, 1/2, 1`. Ink flows along it evenly:

.. math:: I(p) = \frac{w}{2\pi\sigma^2} \int_0^1 e^{-\|p - c(t)\|^2 / 2\sigma^2}\, \|c'(t)\|\, dt,
          \qquad \mathrm{pixel}(p) = 255 \min(I(p), 1)

G. Hinton and R. Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 313, 2006, describe
such data ("generated from three randomly chosen points in two dimensions"); these are not their images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xhat.data.raw import Raw

SIDE = 28
MARGIN = 4.0  # pixels; a parabola overshoots its points by at most an eighth of their range, here 2.5 pixels
SIGMA = 0.7  # pixels: the finest line that shows no stairs
WIDTH = 2.0  # pixels of ink across the line
STEPS = 128  # along the curve; the longest is about 60 pixels, so that steps stay below SIGMA
BLOCK = 500  # images drawn at once: 60 MB


def curves(n: int = 20_000, seed: int = 0) -> NDArray[np.uint8]:
    """Draw `n` random curves, (n, 28, 28)."""
    return draw(points(n, seed))


def points(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Draw the points of `n` curves uniformly within the margin, as (n, 3, 2), x before y, in pixels."""
    return np.random.default_rng(seed).uniform(MARGIN, SIDE - MARGIN, (n, 3, 2)).astype(np.float32)


def draw(points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw curves through `points` (n, 3, 2) as images (n, 28, 28)."""
    images = np.empty((len(points), SIDE, SIDE), np.uint8)
    for start in range(0, len(points), BLOCK):
        images[start : start + BLOCK] = _draw(points[start : start + BLOCK])
    return images


def _draw(points: NDArray[np.float32]) -> NDArray[np.uint8]:
    t = ((np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS)[:, None]  # (T, 1)
    first, middle, last = (points[:, i, None] for i in range(3))  # (n, 1, 2)
    bend, slope = 2 * (first + last) - 4 * middle, 4 * middle - 3 * first - last
    curve = first + slope * t + bend * t**2  # (n, T, 2)
    step = np.linalg.norm(slope + 2 * bend * t, axis=-1) / STEPS  # (n, T): |c'(t)| dt
    centres = np.arange(SIDE, dtype=np.float32) + 0.5
    # The Gaussian falls apart into x and y, so that the integral over t is one matrix product an image.
    spread = np.exp(-((curve[..., None] - centres) ** 2) / (2 * SIGMA**2))  # (n, T, 2, SIDE)
    across, down = spread[:, :, 0] * step[..., None], spread[:, :, 1]
    ink = WIDTH / (2 * np.pi * SIGMA**2) * np.matmul(down.transpose(0, 2, 1), across)  # (n, y, x)
    images: NDArray[np.uint8] = np.rint(255 * np.minimum(ink, 1)).astype(np.uint8)
    return images


def read() -> Raw:
    """Draw the built-in set: 20,000 curves."""
    return Raw(curves(), "curves", kind="image")
