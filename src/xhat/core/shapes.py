"""Shapes without their batch axis, and sums over everything but it."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import ShapeError, require

Shape = tuple[int, ...]


def size(shape: Shape) -> int:
    """Count the elements of one row of this shape."""
    return math.prod(shape)


def as_shape(shape: int | tuple[int, ...] | list[int], who: str) -> Shape:
    """Read a shape from a number or a sequence, and refuse empty or non-positive ones.

    Raises
    ------
    ShapeError
        When an axis is smaller than 1 or none is given.
    """
    axes = (shape,) if isinstance(shape, int) else tuple(int(axis) for axis in shape)
    require(
        bool(axes) and all(axis >= 1 for axis in axes),
        who,
        "every axis of a shape must be >= 1",
        axes,
        "give the shape of one row, as (1, 28, 28)",
        error=ShapeError,
    )
    return axes


def per_row(terms: Float[Tensor, "B *X"]) -> Float[Tensor, "B"]:
    """Sum over all axes but the first."""
    # Sum, not mean: a log-probability of a row is the sum over its elements, in nats.
    return terms.flatten(1).sum(1) if terms.ndim > 1 else terms


def spread(values: Tensor, like: Tensor) -> Tensor:
    """Give values axes of size one at their end, as many as `like` has more: a step's mask then meets its elements."""
    return values.reshape(values.shape + (1,) * (like.ndim - values.ndim))
