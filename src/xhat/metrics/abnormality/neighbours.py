"""Abnormality by the distance of code and residual to the nearest normal row's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from xhat.core.batch import Batch
from xhat.data.dataset import Dataset
from xhat.metrics.abnormality._code_and_residual import block_scales, check, code_and_residual, even_sample, shared
from xhat.metrics.abnormality.abnormality import Abnormality
from xhat.models.fitted import Fitted

# Of the code's distance beside the residual's.
WEIGHT = 4.0
# Rows nearer than this in every scaled feature, relative to large ones, are the same row in single precision.
SAME = 1e-5


class Neighbours(Abnormality):
    r"""How far a row's code and residual lie from those of the normal row that is nearest.

    .. math:: s(x) = \min_n\ 4\, \frac{\|z - z_n\|^2}{\mathrm{tr}\, S_z} + \frac{\|r - r_n\|^2}{\mathrm{tr}\, S_r},
              \qquad r = x - \hat x

    with the covariances S of normal rows. The code says which normal rows are like this one, the residual whether it
    also leaves the places where rows lie as they do. A normal row is not its own neighbour: its score is what it would
    be if it had not been there.

    Parameters
    ----------
    rows : Tensor of shape (N, *X)
        Normal scaled rows.
    scales : Tensor of shape (E,)
        The roots of the traces, and of the weight.
    v : Tensor of shape (N, E)
        Codes and residuals of `rows`, in these scales.

    References
    ----------
    Ramaswamy et al., "Efficient Algorithms for Mining Outliers from Large Data Sets", SIGMOD 2000, for the distance
    to neighbours as a score.
    """

    def __init__(self, rows: Tensor, scales: Tensor, v: Tensor) -> None:
        self.rows, self.scales, self.v = rows, scales, v
        self._index = NearestNeighbors().fit(v.numpy())

    @classmethod
    def fit(cls, fitted: Fitted, data: Dataset) -> Self:
        """Take the normal rows, an even sample of them where there are many."""
        check(fitted, "neighbours")
        double = fitted.double
        with torch.no_grad():  # not inference_mode: what is kept is used outside of it
            batches = list(double.batches(double._open(data), even_sample(data)))
            x = torch.cat([batch.x for batch in batches])  # (N, *X)
            v = torch.cat([code_and_residual(double, batch) for batch in batches])  # (N, E)
            scales = block_scales(v, x.flatten(1))
            scales[: len(scales) - x[0].numel()] /= WEIGHT**0.5
        return cls(x.cpu(), scales.cpu(), (v / scales).cpu())

    @classmethod
    def restore(cls, state: Mapping[str, Tensor]) -> Self:
        """Build it from what `state` gave."""
        cls._check(state, ("rows", "scales", "v"))
        return cls(**state)

    def state(self) -> dict[str, Tensor]:
        """Give the normal rows and the scales."""
        return {"rows": self.rows, "scales": self.scales, "v": self.v}

    def _of(self, fitted: Fitted, batch: Batch) -> Tensor:
        w = self._w(code_and_residual(fitted, batch))
        return ((w - self.v[self._nearest(w, batch.x)].to(w)) ** 2).sum(1)

    def _parts_of(self, fitted: Fitted, batch: Batch) -> Tensor:
        w = self._w(code_and_residual(fitted, batch))
        nearest = self._nearest(w, batch.x)
        each = (w - self.v[nearest].to(w)) ** 2  # (B, E)
        code = each.shape[1] - batch.x[0].numel()
        difference = batch.x - self.rows[nearest].to(batch.x)
        return shared(each[:, :code].sum(1), each[:, code:].view_as(batch.x), difference)

    def _w(self, v: Tensor) -> Tensor:
        return v / self.scales.to(v)

    def _nearest(self, w: Tensor, x: Tensor) -> Tensor:
        """Find each row's nearest normal row other than itself, (B,)."""
        w, x = w.detach().double().cpu(), x.detach().cpu().to(self.rows)
        found = torch.from_numpy(self._index.kneighbors(w.numpy(), min(2, len(self.v)), return_distance=False))
        # Measured again, pair by pair: what the search makes of a whole batch depends on the batch, in the last digits.
        distance = ((w[:, None] - self.v[found]) ** 2).sum(2)  # (B, 2)
        theirs = self.rows[found]  # (B, 2, *X)
        same = ((x[:, None] - theirs).abs() <= SAME * (1 + theirs.abs())).flatten(2).all(2)  # (B, 2)
        # Only one of them: a second row that is equal is another row.
        first = same & (same.cumsum(1) == 1)
        return found.gather(1, distance.masked_fill(first, torch.inf).argmin(1, keepdim=True))[:, 0]
