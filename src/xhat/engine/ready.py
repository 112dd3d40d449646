"""Batches that are ready to be stepped on: on the device, scaled, and cut from blocks that were taken at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.engine.rows import Rows, batches
from xhat.engine.trainee import Trainee

# Numbers of a block: 4 MB of floats stay near the processor until the last batch is cut from them.
BLOCK = 1 << 20


def ready_batches(
    trainee: Trainee, data: Rows, rows: Tensor, size: int, start: int, device: torch.device
) -> Iterator[tuple[Batch, float]]:
    """Walk over rows in batches, as the trainee's loss wants them, each with its mass.

    Gathering, moving and scaling cost about as much for a small batch as for a block of them. Of data that is
    streamed batches are taken one by one.

    Parameters
    ----------
    trainee : Trainee
        Who scales.
    data : Rows
        The data.
    rows : int64 Tensor of shape (N,)
        Numbers of rows, in their order.
    size : int
        B; the last batch may be smaller.
    start : int
        The batch to begin with.
    device : torch.device
        Where they are wanted.
    """
    if getattr(data, "streams", False):
        for batch in batches(data, rows, size, start):
            yield trainee.ready(batch.to(device)), batch.mass
        return
    many = max(1, BLOCK // max(size * data.batch(rows[:1]).x.numel(), 1))
    # Blocks begin where they do in a walk from the start: where a batch lies in memory may tell in its last digits.
    skipped = start % many
    for block in batches(data, rows, size * many, start // many):
        masses = [float(w.sum()) for w in block.weight.split(size)] if block.weight is not None else None
        for i, batch in enumerate(cut(trainee.ready(block.to(device)), size)):
            if i >= skipped:
                yield batch, float(len(batch)) if masses is None else masses[i]
        skipped = 0


def cut(block: Batch, size: int) -> Iterator[Batch]:
    """Cut a batch (N, …) into views of `size` rows; the last may be smaller."""
    parts = {f.name: v.split(size) for f in fields(block) if (v := getattr(block, f.name)) is not None}
    for i in range(len(parts["x"])):
        yield Batch(**{name: part[i] for name, part in parts.items()})
