"""Mean squared error per element, in the data's own units."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.data.dataset import Dataset
from xhat.models.fitted import ROWS, Fitted


def reconstruction_error(fitted: Fitted, data: Dataset, rows: Tensor) -> float:
    r"""Measure a model on rows.

    .. math:: \frac{1}{|O|} \sum_{(n, i) \in O} (x_{ni} - \hat x_{ni})^2

    over the observed entries O.

    Parameters
    ----------
    fitted : Fitted
        The model.
    data : Dataset
        The data.
    rows : int64 Tensor of shape (n_rows,)
        Which of its rows.
    """

    def reconstruct(batch: Batch) -> Tensor:
        batch = batch.to(fitted.device)
        scaled = Batch(fitted.scaling(batch.x), mask=batch.mask)
        return fitted.scaling.inverse(fitted.model.reconstruct(scaled)).cpu()

    return mean_squared_error(data, rows, reconstruct)


def mean_squared_error(data: Dataset, rows: Tensor, reconstruct: Callable[[Batch], Tensor]) -> float:
    """Measure any function of raw batches to raw reconstructions (B, *X), over observed entries, in float64."""
    total, count = 0.0, 0
    with torch.inference_mode():
        for part in rows.split(ROWS):
            batch = data.batch(part)
            squares = (batch.x.double() - reconstruct(batch).double()) ** 2
            if batch.mask is not None:
                squares = squares[batch.mask.expand_as(squares)]
            total += float(squares.sum())
            count += squares.numel()
    return total / count
