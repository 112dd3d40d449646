"""Abnormality by the probability of a row at its own code."""

from __future__ import annotations

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.shapes import spread
from xhat.data.dataset import Dataset
from xhat.metrics.abnormality.abnormality import Abnormality
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted


class Likelihood(Abnormality):
    r"""How unlikely the decoder holds a row to be, in nats.

    .. math:: s(x) = -\sum_{i \in O} \log p(x_i | z), \qquad z = f(x)

    over the observed features O, as a density over the data's own units. It is the distortion alone: that a code is
    itself unusual does not count, as it does in `xhat.VAE`'s log p(x). Of a row with gaps it is the density of the
    features that are there: a sum of fewer terms, which no threshold for whole rows is meant for.
    """

    @classmethod
    def check(cls, model: Autoencoder, data: Dataset) -> None:
        """Refuse models whose loss is no density, and rows without an observed value."""
        kind, hint = type(model.likelihood).__name__, "use method reconstruction"
        require(model.likelihood.normalised, "likelihood", "needs a density of x", kind, hint)
        super().check(model, data)

    def _parts_of(self, fitted: Fitted, batch: Batch) -> Tensor:
        law = fitted.model.decode(fitted.model.encode(batch).z, batch).law
        # What was not observed may be 0, which lies outside of some supports: a half lies in all.
        there = None if batch.mask is None else spread(batch.mask, batch.x).expand_as(batch.x)
        x = batch.x if there is None else torch.where(there, batch.x, torch.full_like(batch.x, 0.5))
        parts = -law.log_prob(x)  # (B, *X)
        if fitted.schema.vocabulary is None:
            parts = parts + fitted.scaling.spread.log()
        return parts if there is None else torch.where(there, parts, 0.0)
