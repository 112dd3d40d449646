"""The gaps of an open dataset filled by a fitted model, in the data's own units."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.quasirandom import SobolEngine

from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.engine.randomness import private_randomness
from xhat.metrics.imputation import impute, impute_draws
from xhat.models.fitted import Fitted
from xhat.parts.bottlenecks.gaussian import Gaussian

Rows = NDArray[Any]
# A probability of 0 would be a draw at infinity.
EDGE = 1e-6


def filled(fitted: Fitted, data: Dataset, k: int) -> Rows:
    """Put the mean of what may stand there into each gap, by k draws that are the same for every row and call.

    The draws are a scrambled Sobol sequence's, which covers the codes more evenly than random ones do.

    Returns
    -------
    ndarray of shape (N, *X)
        Rows as nets see them, in the data's own units; what was observed went through the scaling and back.
    """
    with private_randomness(0), torch.inference_mode():
        noise = None
        if isinstance(fitted.model.bottleneck, Gaussian):
            shape = fitted.model.code_shape
            even = SobolEngine(size(shape), scramble=True, seed=0).draw(k, dtype=torch.float64)  # in [0, 1)
            normal = torch.special.ndtri(even.clamp(EDGE, 1 - EDGE)).unflatten(1, shape)  # (k, *Z)
            noise = normal.to(fitted.device, fitted.scaling.spread.dtype)
        parts = [impute(fitted.model, batch, k, noise=noise) for batch in fitted.batches(data)]
        return np.concatenate([fitted.scaling.inverse(part).cpu().numpy() for part in parts])


def drawn(fitted: Fitted, data: Dataset, draws: int, k: int, seed: int) -> Rows:
    """Draw what may stand in the gaps, `draws` times: (M, N, *X), else as `filled`."""
    with private_randomness(seed), torch.inference_mode():
        parts = [impute_draws(fitted.model, batch, draws, k) for batch in fitted.batches(data)]
        return np.concatenate([fitted.scaling.inverse(part).cpu().numpy() for part in parts], axis=1)
