"""Principal components of training rows, as the model sees them; of tokens, one-hot."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.data.scaling import Scaling
from xhat.data.schema import Schema
from xhat.metrics._eigen import WIDEST, eigen_axes

# Values that PCA is fitted to at most, 1 GB of them: with more rows it sees an even sample.
MOST = 250_000_000


@dataclass(frozen=True)
class PrincipalComponents:
    """The mean, the axes and their variances.

    Parameters
    ----------
    mean : Tensor of shape (D,)
        Of the rows as `as_seen` gives them: D = T·V for T tokens out of V.
    axes : Tensor of shape (K, D)
        Orthonormal, the widest first.
    variances : Tensor of shape (K,)
        Of the rows along each axis.
    spread : Tensor of shape (D,)
        Variances of the elements themselves.

    References
    ----------
    Tipping and Bishop, "Probabilistic Principal Component Analysis", JRSS B 1999.
    """

    mean: Float[Tensor, "D"]
    axes: Float[Tensor, "K D"]
    variances: Float[Tensor, "K"]
    spread: Float[Tensor, "D"]

    @classmethod
    def fit(cls, data: Dataset, rows: Tensor, scaling: Scaling, k: int) -> Self:
        """Find the `k` widest axes, or as many as there are.

        Parameters
        ----------
        data : Dataset
            The data.
        rows : int64 Tensor
            Which of its rows.
        scaling : Scaling
            The model's; a missing entry is 0 there, for PCA as for the model. A step of tokens that is not there
            counts as the mean.
        k : int
            How many axes.
        """
        dimensions = size(data.schema.shape) * len(data.schema.vocabulary or " ")
        rows = data.few(rows)
        rows = rows[:: max(1, -(-len(rows) * dimensions // MOST))]
        # A copy on the CPU: the model's own scaling may live on another device.
        own = copy.deepcopy(scaling).cpu()
        seen = torch.cat([as_seen(data.batch(part), data.schema, own) for part in rows.split(4096)])  # (N, D)
        if data.mask is not None:
            seen = torch.where(seen.isnan(), seen.nanmean(0).nan_to_num(0.0), seen)
        x = seen.numpy()
        k = max(1, min(k, len(x) - 1, dimensions))
        if dimensions < len(x) and dimensions <= WIDEST:
            found = eigen_axes(x, k)
            mean, axes, variances = (
                torch.from_numpy(part).float() for part in (found.mean, found.axes, found.variances)
            )
            return cls(mean, axes, variances, torch.from_numpy(found.spread))
        from sklearn.decomposition import PCA  # here alone: its import takes a second

        pca = PCA(k, random_state=0).fit(x)
        mean, axes, variances = (
            torch.from_numpy(part).float() for part in (pca.mean_, pca.components_, pca.explained_variance_)
        )
        return cls(mean, axes, variances, torch.from_numpy(x.var(0, ddof=1, dtype="float64")))

    @property
    def total(self) -> float:
        """The sum of the variances along all D axes, those that were not kept included."""
        return float(self.spread.sum())

    def left(self, k: int) -> Float[Tensor, "D"]:
        """Give the variance of each element that the first `k` axes leave."""
        kept = self.variances[:k].double() @ self.axes[:k].double() ** 2
        return (self.spread - kept).clamp(min=0)

    def noise(self, k: int) -> float:
        r"""Give probabilistic PCA's :math:`\sigma^2`: the mean variance along the axes after the first `k`."""
        rest = self.total - float(self.variances[:k].double().sum())
        return max(rest, 0.0) / max(self.axes.shape[1] - k, 1)

    def copy(self, x: Float[Tensor, "B D"], k: int) -> Float[Tensor, "B D"]:
        """Give PCA's reconstruction of rows, as `as_seen` gives them, from their first `k` components."""
        axes = self.axes[:k]
        return self.mean + (x - self.mean).nan_to_num(0.0) @ axes.T @ axes


def as_seen(batch: Batch, schema: Schema, scaling: Scaling) -> Float[Tensor, "B D"]:
    """Give raw rows as PCA sees them, flat: scaled, or one-hot where they are tokens, with NaN for steps of padding."""
    if schema.vocabulary is None:
        return scaling(batch.x).flatten(1)
    hot = torch.nn.functional.one_hot(batch.x.long(), len(schema.vocabulary)).float()  # (B, T, V)
    if batch.mask is not None:
        hot[~batch.mask] = torch.nan
    return hot.flatten(1)
