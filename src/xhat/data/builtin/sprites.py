"""Sprites: gray images of 32×32 pixels of one shape each, whose five factors are known.

Shape, scale, orientation, x and y are drawn independently and uniformly from the same numbers of values as in dSprites
(Matthey, Higgins, Hassabis and Lerchner, "dSprites: Disentanglement testing Sprites dataset", 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xhat.data.raw import Raw

SHAPES = ("ellipse", "heart", "square")
FACTORS = {"shape": len(SHAPES), "scale": 6, "orientation": 40, "x": 32, "y": 32}

Inside = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.bool_]]

SIDE = 32
REACH = 8.0  # pixels from a shape's centre to its farthest point at full scale
FINE = 4  # sub-pixels along each side of a pixel: edges get 17 shades
BLOCK = 16  # images drawn at once: their sub-pixels stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Sprites:
    """Images and what they were drawn from.

    Parameters
    ----------
    images : uint8 array of shape (n, 32, 32)
        White shapes on black.
    factors : int64 array of shape (n, 5)
        Which value each factor has, in the order of `FACTORS`; the shape is an index of `SHAPES`.
    """

    images: NDArray[np.uint8]
    factors: NDArray[np.int64]


def sprites(n: int = 4096, seed: int = 0) -> Sprites:
    """Draw `n` random sprites."""
    factors = np.random.default_rng(seed).integers(0, list(FACTORS.values()), (n, len(FACTORS)))
    return Sprites(draw(factors), factors)


def draw(factors: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Draw sprites of any `factors` (n, 5), such as a walk along one of them, as images (n, 32, 32)."""
    images = np.empty((len(factors), SIDE, SIDE), np.uint8)
    for index, shape in enumerate(SHAPES):
        rows = np.flatnonzero(factors[:, 0] == index)
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            images[block] = _draw(factors[block], _INSIDE[shape])
    return images


def _draw(factors: NDArray[np.int64], inside: Inside) -> NDArray[np.uint8]:
    scale, orientation, x, y = (
        # (n, 1, 1) each, from 0 to 1; a full turn stops one step short, where it would begin again.
        (column / (count if name == "orientation" else count - 1)).astype(np.float32)[:, None, None]
        for column, (name, count) in zip(factors.T[1:], list(FACTORS.items())[1:], strict=True)
    )
    half = REACH * (1 + scale) / 2  # half to full
    cos, sin = np.cos(2 * np.pi * orientation), np.sin(2 * np.pi * orientation)
    room = SIDE - 2 * REACH
    fine = (np.arange(SIDE * FINE, dtype=np.float32) + 0.5) / FINE
    right = (fine - REACH - room * x) / half  # (n, 1, S)
    down = (fine[:, None] - REACH - room * y) / half  # (n, S, 1)
    # Turned into the shape's own axes: (n, S, S).
    cover = inside(cos * right + sin * down, cos * down - sin * right)
    pixels = cover.reshape(-1, SIDE, FINE, SIDE, FINE).mean((2, 4), dtype=np.float32)
    images: NDArray[np.uint8] = np.rint(255 * pixels).astype(np.uint8)
    return images


# Whether points (u, v), v downwards, lie in a shape that itself lies in the unit disc.


def _ellipse(u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.bool_]:
    return u * u + 3.3 * v * v <= 1


def _heart(u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.bool_]:
    u, v = 1.27 * u, 0.1 - 1.27 * v
    uu, vv = u * u, v * v
    disc = uu + vv - 1
    return disc * disc * disc <= uu * vv * v


def _square(u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.maximum(np.abs(u), np.abs(v)) <= np.float32(0.5**0.5)


_INSIDE: dict[str, Inside] = {"ellipse": _ellipse, "heart": _heart, "square": _square}


def read() -> Raw:
    """Draw the built-in set: 4,096 sprites, labelled by their shapes."""
    made = sprites()
    return Raw(made.images, "sprites", labels=np.array(SHAPES)[made.factors[:, 0]], kind="image")
