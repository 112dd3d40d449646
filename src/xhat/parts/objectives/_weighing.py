"""Means over a batch whose rows count differently."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from xhat.core.loss import LEAST
from xhat.core.shapes import spread


def row_mean(values: Float[Tensor, "B *D"], weight: Float[Tensor, "B"] | None) -> Float[Tensor, "*D"]:
    r""":math:`\sum_b w_b v_b / \sum_b w_b`; the plain mean where no weights are given, 0 where all are 0."""
    if weight is None:
        return values.mean(0)
    return (spread(weight, values) * values).sum(0) / weight.sum().clamp(min=LEAST)
