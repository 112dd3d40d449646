"""Abnormality by the Mahalanobis distance of code and residual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from sklearn.covariance import LedoitWolf
from torch import Tensor

from xhat.core.batch import Batch
from xhat.data.dataset import Dataset
from xhat.metrics.abnormality._code_and_residual import block_scales, check, code_and_residual, even_sample, shared
from xhat.metrics.abnormality.abnormality import Abnormality
from xhat.models.fitted import Fitted


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
    def fit(cls, fitted: Fitted, data: Dataset) -> Self:
        """Estimate the moments."""
        check(fitted, "mahalanobis")
        double = fitted.double
        with torch.no_grad():  # not inference_mode: what is kept is used outside of it
            batches = list(double.batches(double._open(data), even_sample(data)))
            x = torch.cat([batch.x for batch in batches])  # (N, *X)
            v = torch.cat([code_and_residual(double, batch) for batch in batches])  # (N, E)
            scales = block_scales(v, x.flatten(1))
        estimate = LedoitWolf().fit((v / scales).cpu().numpy())
        root = torch.from_numpy(np.linalg.cholesky(estimate.precision_)) / scales.cpu()[:, None]
        return cls(x.mean(0).cpu(), v.mean(0).cpu(), root)

    @classmethod
    def restore(cls, state: Mapping[str, Tensor]) -> Self:
        """Build it from what `state` gave."""
        cls._check(state, ("start", "mean", "root"))
        return cls(**state)

    def state(self) -> dict[str, Tensor]:
        """Give the moments."""
        return {"start": self.start, "mean": self.mean, "root": self.root}

    def _of(self, fitted: Fitted, batch: Batch) -> Tensor:
        return (((code_and_residual(fitted, batch) - self.mean.to(batch.x)) @ self.root.to(batch.x)) ** 2).sum(1)

    def _parts_of(self, fitted: Fitted, batch: Batch) -> Tensor:
        off = code_and_residual(fitted, batch) - self.mean.to(batch.x)  # (B, E)
        root = self.root.to(batch.x)
        each = off * (off @ root @ root.T)  # (B, E): they sum to the squared distance
        code = each.shape[1] - batch.x[0].numel()
        return shared(each[:, :code].sum(1), each[:, code:].view_as(batch.x), batch.x - self.start.to(batch.x))
