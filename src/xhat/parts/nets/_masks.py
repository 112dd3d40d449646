"""Masks that nets read: checked, and turned into an order where what is there comes first."""

from __future__ import annotations

import torch
from torch import Tensor

from xhat.core.errors import ShapeError, require


def check_rows(x: Tensor, in_shape: tuple[int, ...], who: str) -> None:
    """Refuse rows of another shape than the net was built for."""
    require(
        tuple(x.shape[1:]) == in_shape,
        who,
        f"rows must be of shape {in_shape}",
        tuple(x.shape[1:]),
        "pad or cut them, and mark the padding False in the mask",
        error=ShapeError,
    )


def check_mask(mask: Tensor, x: Tensor, who: str, *, entries: bool = True) -> None:
    """Refuse a mask that is neither of steps or elements, (B, T), nor, where `entries`, of the shape of `x`."""
    allowed = [tuple(x.shape[:2])] + [tuple(x.shape)] * (entries and x.ndim > 2)
    require(
        tuple(mask.shape) in allowed,
        who,
        f"a mask of these rows must be of shape {' or '.join(str(shape) for shape in allowed)}",
        tuple(mask.shape),
        "make it True where a step counts",
        error=ShapeError,
    )


def first(valid: Tensor) -> Tensor:
    """Order each row's positions, (B, T): the valid ones first, in their own order; to ``gather`` by."""
    return torch.argsort((~valid).to(torch.uint8), dim=1, stable=True)
