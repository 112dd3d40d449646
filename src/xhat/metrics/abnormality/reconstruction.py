"""Abnormality by squared errors of copies."""

from __future__ import annotations

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.shapes import size, spread
from xhat.metrics.abnormality.abnormality import Abnormality
from xhat.models.fitted import Fitted


class Reconstruction(Abnormality):
    r"""How badly a row is copied.

    .. math:: s(x) = \sum_{i \in O} \frac{(x_i - \hat x_i)^2}{|O|}

    over the observed features O, in the units of scaled rows, in which features of different units can be compared.
    """

    def _parts_of(self, fitted: Fitted, batch: Batch) -> Tensor:
        symbols = fitted.schema.vocabulary is not None
        hint = "use method likelihood"
        require(not symbols, "reconstruction", "needs rows of numbers, whose errors have a size", "symbols", hint)
        errors = (batch.x - fitted.model.reconstruct(batch)) ** 2  # (B, *X)
        if batch.mask is None:
            return errors / size(tuple(errors.shape[1:]))
        there = spread(batch.mask, errors).expand_as(errors)
        count = there.flatten(1).sum(1).clamp(min=1)  # (B,)
        return torch.where(there, errors, 0.0) / spread(count, errors)
