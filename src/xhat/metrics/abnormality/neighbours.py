"""Abnormality by the distance of code and residual to the nearest normal row's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from xhat.core.batch import Batch
from xhat.data.dataset import Dataset
from xhat.metrics.abnormality._code_and_residual import Seen, check_numbers, code_and_residual, observed, shared
from xhat.metrics.abnormality.abnormality import Abnormality
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted

# Of the code's distance beside the residual's.
WEIGHT = 4.0
# Rows nearer than this share of its spread in every feature are the same row in single precision.
SAME = 1e-6
# Distances below this share of what they are taken between are rounding.
ROUNDING = 1e-10


class Neighbours(Abnormality):
    r"""How far a row's code and residual lie from those of the normal row that is nearest.

    .. math:: s(x) = \min_n\ 4\, \frac{\|z - z_n\|^2}{\mathrm{tr}\, S_z} + \frac{\|r - r_n\|^2}{\mathrm{tr}\, S_r},
              \qquad r = x - \hat x

    with the covariances S of normal rows. The code says which normal rows are like this one, the residual whether it
    also leaves the places where rows lie as they do. A normal row is not its own neighbour: its score is what it would
    be if it had not been there; one that is there twice scores 0. What was not observed has no part in a distance; only
    the search of the nearest row takes its residual for 0.

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

    leaves_out: ClassVar[bool] = True

    def __init__(self, rows: Tensor, scales: Tensor, v: Tensor) -> None:
        self.rows, self.scales, self.v = rows, scales, v
        self._same = SAME * rows.std(0, correction=0)  # (*X)
        self._index = NearestNeighbors().fit(v.numpy())

    @classmethod
    def check(cls, model: Autoencoder, data: Dataset) -> None:
        """Refuse symbols, and rows without an observed value."""
        check_numbers(model, data, "neighbours")
        super().check(model, data)

    @classmethod
    def fit(cls, fitted: Fitted, data: Dataset) -> Self:
        """Take the normal rows, a draw of them where there are many."""
        cls.check(fitted.model, data)
        seen = Seen.through(fitted, data)
        scales = seen.scales
        scales[: len(scales) - seen.x[0].numel()] /= WEIGHT**0.5
        return cls(seen.x, scales, seen.v / scales)

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
        return self._squares(w, self._nearest(w, batch), batch).sum(1)

    def _parts_of(self, fitted: Fitted, batch: Batch) -> Tensor:
        w = self._w(code_and_residual(fitted, batch))
        nearest = self._nearest(w, batch)
        each = self._squares(w, nearest, batch)  # (B, E)
        code = each.shape[1] - batch.x[0].numel()
        difference = batch.x - self.rows[nearest].to(batch.x)
        return shared(each[:, :code].sum(1), each[:, code:].view_as(batch.x), difference, batch)

    def _w(self, v: Tensor) -> Tensor:
        return v / self.scales.to(v)

    def _squares(self, w: Tensor, rows: Tensor, batch: Batch) -> Tensor:
        """Give what each number of w adds to the squared distance to a normal row, (B, E)."""
        squares = (w - self.v[rows].to(w)) ** 2
        code = w.shape[1] - batch.x[0].numel()
        squares[:, code:] = torch.where(observed(batch).flatten(1), squares[:, code:], 0.0)
        # Rounding depends on the batch, and a threshold among distances of 0 would tell rows by it.
        least = ROUNDING**2 * (1 + (w**2).sum(1, keepdim=True))  # (B, 1)
        return torch.where(squares.sum(1, keepdim=True) > least, squares, 0.0)

    def _nearest(self, w: Tensor, batch: Batch) -> Tensor:
        """Find each row's nearest normal row other than itself, (B,)."""
        found = torch.from_numpy(
            self._index.kneighbors(w.double().cpu().numpy(), min(2, len(self.v)), return_distance=False)
        )  # (B, 2)
        # Measured again, pair by pair: what the search makes of a whole batch depends on the batch, in the last digits.
        pairs = [self._squares(w, rows, batch).sum(1).cpu() for rows in found.unbind(1)]
        distance = torch.stack(pairs, 1)  # (B, 2)
        x = batch.x.cpu().to(self.rows)
        same = ((x[:, None] - self.rows[found]).abs() <= self._same).flatten(2).all(2)  # (B, 2)
        # Only one of them: a second row that is equal is another row.
        first = same & (same.cumsum(1) == 1)
        return found.gather(1, distance.masked_fill(first, torch.inf).argmin(1, keepdim=True))[:, 0]
