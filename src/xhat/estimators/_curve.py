"""Error against the number of code dimensions that are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from xhat.data.dataset import Dataset
from xhat.metrics.reconstruction_error import mean_error
from xhat.models.fitted import ROWS, Fitted

Curve = NDArray[np.float64]


def error_curve(fitted: Fitted, data: Dataset, *, ordered: bool) -> Curve:
    """Measure copies from the first k code dimensions, for k from 0 to all.

    Parameters
    ----------
    fitted : Fitted
        The model.
    data : Dataset
        Rows.
    ordered : bool
        Whether dimensions come in order of importance and zero stands for what is left out. Else they are taken from
        the one that varies most, and the mean code of these rows stands for what is left out.

    Returns
    -------
    ndarray of shape (K + 1,)
        Mean squared errors in the data's own units.
    """
    with torch.inference_mode():
        z = torch.cat([fitted.model.encode(batch).z for batch in fitted.batches(data)]).flatten(1)  # (N, K)
        order = (
            torch.arange(z.shape[1], device=z.device) if ordered else z.var(0, correction=0).argsort(descending=True)
        )
        rest = torch.zeros_like(z[0]) if ordered else z.mean(0)
        return np.array([_error(fitted, data, z, order[:k], rest) for k in range(z.shape[1] + 1)])


def _error(fitted: Fitted, data: Dataset, z: torch.Tensor, kept: torch.Tensor, rest: torch.Tensor) -> float:
    cut = rest.repeat(len(z), 1)
    cut[:, kept] = z[:, kept]
    parts = iter(cut.view(len(z), *fitted.model.code_shape).split(ROWS))

    def copies(_: Any) -> torch.Tensor:
        return fitted.scaling.inverse(fitted.model.decode(next(parts)).mean).cpu()

    return mean_error(data, torch.arange(len(data)), copies, fitted.scaling)


def components_for(curve: Curve, share: float) -> int:
    """Count the dimensions by which a share of the variance is explained; all, where even they explain less."""
    reached = np.flatnonzero(1 - curve / curve[0] >= share)
    return max(1, int(reached[0])) if len(reached) else len(curve) - 1
