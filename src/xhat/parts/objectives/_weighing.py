"""Means over a batch whose rows count differently."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def row_mean(values: Float[Tensor, "B *D"], weight: Float[Tensor, "B"] | None) -> Float[Tensor, "*D"]:
    r""":math:`\sum_b w_b v_b / \sum_b w_b`; the plain mean where no weights are given."""
    if weight is None:
        return values.mean(0)
    return (weight.reshape(-1, *(1,) * (values.ndim - 1)) * values).sum(0) / weight.sum()
