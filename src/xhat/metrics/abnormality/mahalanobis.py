"""Abnormality by the Mahalanobis distance of code and residual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from sklearn.covariance import LedoitWolf
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.metrics.abnormality._code_and_residual import (
    EXACT,
    Seen,
    check_numbers,
    code_and_residual,
    observed,
    shared,
)
from xhat.metrics.abnormality.abnormality import Abnormality
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted

# Numbers of code and residual together: their covariance has the square of it.
WIDEST = 4096


class Mahalanobis(Abnormality):
    r"""How far a row's code and residual lie from those of normal rows, in the metric of their covariance.

    .. math:: s(x) = (v - \mu)^T \Sigma^{-1} (v - \mu), \qquad v = [z,\ x - \hat x]

    with the mean and the covariance of normal rows. Code and residual are brought to one size, and the covariance is
    drawn to a multiple of the identity, by as much as Ledoit and Wolf's estimate says: there may be more numbers than
    rows.

    Parameters
    ----------
    start : Tensor of shape (*X)
        The mean of normal scaled rows, from which parts are measured.
    mean : Tensor of shape (E,)
        μ.
    root : Tensor of shape (E, E)
        R with :math:`R R^T = \Sigma^{-1}`.

    References
    ----------
    Denouden et al., "Improving Reconstruction Autoencoder Out-of-distribution Detection with Mahalanobis Distance",
    2018. Ledoit and Wolf, "A Well-conditioned Estimator for Large-dimensional Covariance Matrices", JMVA 2004.
    """

    def __init__(self, start: Tensor, mean: Tensor, root: Tensor) -> None:
        self.start, self.mean, self.root = start, mean, root

    @classmethod
    def check(cls, model: Autoencoder, data: Dataset) -> None:
        """Refuse symbols, rows too wide for a covariance, and rows without an observed value."""
        check_numbers(model, data, "mahalanobis")
        numbers = size(model.code_shape) + size(model.x_shape)
        rule = f"needs at most {WIDEST} numbers of code and row together"
        require(numbers <= WIDEST, "mahalanobis", rule, numbers, "use method neighbours or reconstruction")
        super().check(model, data)

    @classmethod
    def fit(cls, fitted: Fitted, data: Dataset) -> Self:
        """Estimate the moments."""
        cls.check(fitted.model, data)
        require(len(data) > 1, "mahalanobis", "needs 2 normal rows to have a covariance", len(data), "give more rows")
        seen = Seen.through(fitted, data)
        covariance = LedoitWolf().fit((seen.v / seen.scales).numpy()).covariance_
        values, axes = np.linalg.eigh(covariance)  # (E,), (E, E)
        # Numbers that follow from others leave axes without any spread, which nothing would draw wider: of two rows, or
        # of features that are 0 or 1, the estimate is sure of itself.
        least = EXACT * max(float(values.sum()), 1.0) / len(values)
        root = torch.from_numpy(axes / np.sqrt(values.clip(min=least))) / seen.scales[:, None]
        return cls(seen.x.mean(0), seen.v.mean(0), root)

    @classmethod
    def restore(cls, state: Mapping[str, Tensor]) -> Self:
        """Build it from what `state` gave."""
        cls._check(state, ("start", "mean", "root"))
        return cls(**state)

    def state(self) -> dict[str, Tensor]:
        """Give the moments."""
        return {"start": self.start, "mean": self.mean, "root": self.root}

    def _of(self, fitted: Fitted, batch: Batch) -> Tensor:
        return ((self._off(fitted, batch) @ self.root.to(batch.x)) ** 2).sum(1)

    def _parts_of(self, fitted: Fitted, batch: Batch) -> Tensor:
        off, root = self._off(fitted, batch), self.root.to(batch.x)
        each = off * (off @ root @ root.T)  # (B, E): they sum to the squared distance
        code = each.shape[1] - batch.x[0].numel()
        return shared(each[:, :code].sum(1), each[:, code:].view_as(batch.x), batch.x - self.start.to(batch.x), batch)

    def _off(self, fitted: Fitted, batch: Batch) -> Tensor:
        """Give v - μ, where what was not observed has the mean's residual, (B, E)."""
        off = code_and_residual(fitted, batch) - self.mean.to(batch.x)
        code = off.shape[1] - batch.x[0].numel()
        return torch.cat([off[:, :code], torch.where(observed(batch).flatten(1), off[:, code:], 0.0)], 1)
