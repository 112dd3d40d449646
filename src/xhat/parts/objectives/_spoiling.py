"""How a corruption enters a batch, and which entries it took."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Bool
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.corruption import Corruption
from xhat.core.shapes import spread


def spoil(batch: Batch, corruption: Corruption) -> Batch:
    """Spoil what the encoder sees of a batch; where entries are hidden, say which stay visible."""
    x = batch.input
    if not corruption.hides:
        return replace(batch, corrupted=corruption(x))
    visible = corruption.visible(x)
    corrupted = torch.where(visible, x, corruption.value)
    if batch.mask is not None:
        visible = visible & judged(batch)  # what is not there is neither visible nor hidden
    return replace(batch, corrupted=corrupted, visible=visible)


def judged(batch: Batch) -> Bool[Tensor, "B *X"]:
    """Say which entries count in the loss."""
    if batch.mask is None:
        return torch.ones_like(batch.x, dtype=torch.bool)
    return spread(batch.mask, batch.x).expand_as(batch.x)


def taken(batch: Batch, spoiled: Batch, corruption: Corruption) -> Bool[Tensor, "B *X"]:
    """Say which of the entries that count a corruption hid, or else changed."""
    if corruption.hides and spoiled.visible is not None:
        return judged(batch) & ~spoiled.visible
    return judged(batch) & (spoiled.input != batch.input)
