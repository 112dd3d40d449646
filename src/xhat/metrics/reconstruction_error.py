"""The error of copies: mean squared error per element in the data's own units; of tokens the share of wrong ones.

Columns of a mixed table have units that do not add up: of it, elements are measured as the model sees them, numbers
standardised and categories as zeros and a one. PCA of these elements is then held to what it minimises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.shapes import spread
from xhat.data.dataset import Dataset
from xhat.data.scaling import Scaling
from xhat.models.fitted import ROWS, Fitted


def reconstruction_error(fitted: Fitted, data: Dataset, rows: Tensor) -> float:
    r"""Measure a model on rows.

    .. math:: \frac{1}{|O|} \sum_{(n, i) \in O} (x_{ni} - \hat x_{ni})^2

    over the observed entries O of steps that are there. Tokens have no distance: of them it is the share where
    :math:`x_{ni} \neq \hat x_{ni}`.

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
        scaled = replace(batch, x=fitted.scaling(batch.x))
        return fitted.scaling.inverse(fitted.model.reconstruct(scaled)).cpu()

    return mean_error(data, rows, reconstruct, fitted.scaling)


def mean_error(
    data: Dataset, rows: Tensor, reconstruct: Callable[[Batch], Tensor], scaling: Scaling | None = None
) -> float:
    """Measure any function of raw batches to raw reconstructions (B, *X), over observed entries, in float64.

    What error means is decided here, by the kind of the data: for tokens it is the share of wrong ones, for mixed
    tables it is measured under the model's scaling.
    """
    unit = 1.0 if scaling is None or data.schema.mixed is None else scaling.spread.cpu().double()
    symbols = data.schema.vocabulary is not None
    total, count = 0.0, 0
    with torch.inference_mode():
        for part in rows.split(ROWS):
            batch = data.batch(part)
            x, copy = batch.x.double(), reconstruct(batch).double()
            errors = (x != copy.round()).double() if symbols else ((x - copy) / unit) ** 2  # (B, *X)
            if batch.mask is not None:
                errors = errors[spread(batch.mask, x).expand_as(errors)]
            total += float(errors.sum())
            count += errors.numel()
    return total / count
