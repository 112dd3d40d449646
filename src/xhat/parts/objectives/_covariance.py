"""Covariance of codes, and how far it is from the identity."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.loss import LEAST
from xhat.parts.objectives._weighing import row_mean


def covariance(z: Float[Tensor, "B d"], weight: Float[Tensor, "B"] | None) -> Float[Tensor, "d d"]:
    """Cov(z) of a batch, whose rows may be weighed."""
    centred = z - row_mean(z, weight)  # (B, d)
    # One product: (B, d, d) would be the largest thing in a step.
    weight = torch.ones_like(z[:, 0]) if weight is None else weight.to(z)
    return (weight[:, None] * centred).T @ centred / weight.sum().clamp(min=LEAST)


def off_diagonal(C: Float[Tensor, "d d"]) -> Float[Tensor, ""]:
    r""":math:`\sum_{i \ne j} C_{ij}^2`."""
    return ((C - torch.diag(C.diagonal())) ** 2).sum()


def off_one(C: Float[Tensor, "d d"]) -> Float[Tensor, ""]:
    r""":math:`\sum_i (C_{ii} - 1)^2`."""
    return ((C.diagonal() - 1) ** 2).sum()
