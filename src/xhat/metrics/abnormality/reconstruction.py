"""Abnormality by squared errors of copies."""

from __future__ import annotations

import warnings
from typing import Self

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.shapes import spread
from xhat.data.dataset import Dataset
from xhat.metrics.abnormality._code_and_residual import EXACT, observed
from xhat.metrics.abnormality.abnormality import Abnormality
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import ROWS, Fitted


class Reconstruction(Abnormality):
    r"""How badly a row is copied.

    .. math:: s(x) = \sum_{i \in O} \frac{(x_i - \hat x_i)^2}{|O|}

    over the observed features O, in the units of scaled rows, in which features of different units can be compared.
    """

    @classmethod
    def check(cls, model: Autoencoder, data: Dataset) -> None:
        """Refuse symbols, and rows without an observed value."""
        symbols, hint = data.schema.vocabulary is not None, "use method likelihood"
        require(not symbols, "reconstruction", "needs rows of numbers, whose errors have a size", "symbols", hint)
        super().check(model, data)

    @classmethod
    def fit(cls, fitted: Fitted, data: Dataset) -> Self:
        """Look at the errors of normal rows; where a model copies them exactly, they tell nothing: it warns."""
        score = super().fit(fitted, data)
        some = data.subset(torch.arange(min(ROWS, len(data))))
        x = torch.cat([batch.x for batch in fitted.double.batches(some)]).flatten(1)  # (N, D)
        error, variance = float(score.score(fitted, some).mean()), float(x.var(0, correction=0).mean())
        if error < EXACT**2 * variance:
            text = "errors of the copies are rounding and tell nothing. Use fewer code dimensions, or method neighbours"
            warnings.warn(f"reconstruction: {text}.", UserWarning, stacklevel=2)
        return score

    def _parts_of(self, fitted: Fitted, batch: Batch) -> Tensor:
        there = observed(batch)
        errors = torch.where(there, (batch.x - fitted.model.reconstruct(batch)) ** 2, 0.0)  # (B, *X)
        return errors / spread(there.flatten(1).sum(1), errors)
