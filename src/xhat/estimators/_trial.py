"""What a denoiser is good for, tried on rows that are spoiled for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch

from xhat.core.corruption import Corruption
from xhat.data.dataset import Dataset
from xhat.engine.randomness import private_randomness
from xhat.models.fitted import Fitted


@dataclass(frozen=True)
class Trial:
    """Errors of rows that were spoiled, and of those that were cleaned again.

    Parameters
    ----------
    spoiled, cleaned : float
        Mean squared errors against the rows as they were, in the data's own units, over observed values.
    """

    spoiled: float
    cleaned: float

    @classmethod
    def of(cls, fitted: Fitted, data: Dataset, corruption: Corruption) -> Self:
        """Spoil rows, by the same draws in every call, and clean them."""
        spoiled, cleaned = [], []
        with private_randomness(0), torch.inference_mode():
            for batch in fitted.batches(data):
                seen = replace(batch, x=corruption(batch.x))
                spoiled.append(fitted.scaling.inverse(seen.x).cpu())
                cleaned.append(fitted.scaling.inverse(fitted.model.reconstruct(seen)).cpu())
        x = data.resident.double()
        return cls(*(float(np.nanmean((x - torch.cat(rows)).numpy() ** 2)) for rows in (spoiled, cleaned)))

    def __str__(self) -> str:
        """Say both, and what is left."""
        share = f", {self.cleaned / self.spoiled:.2f} of it" if self.spoiled > 0 else ""
        said = f"Validation rows that are spoiled as in training have a mean squared error of {self.spoiled:.4g};"
        return f"{said} cleaned they have {self.cleaned:.4g}{share}."
