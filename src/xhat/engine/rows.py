"""What the engine asks of data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from xhat.core.batch import Batch


class Rows(Protocol):
    """Data whose rows can be asked for by number."""

    @property
    def y(self) -> Tensor | None:
        """The labels of all rows, (N, ...); a whole number below 0 is none."""

    def __len__(self) -> int:
        """Count the rows."""

    def batch(self, rows: Tensor) -> Batch:
        """Give raw rows by their numbers, (B,) int64."""


class Blocks(Protocol):
    """How rows are shuffled that are read from a disk while they train."""

    def order(self, rows: Tensor, size: int, generator: torch.Generator) -> Tensor:
        """Give rows (N,) in the order of an epoch of batches of `size`, each once."""


def batches(data: Rows, rows: Tensor, size: int, start: int = 0) -> Iterator[Batch]:
    """Cut `rows` into batches of `size`, from batch number `start` on; the last may be smaller."""
    walk = getattr(data, "walk", None)
    if walk is not None:  # data that knows how to read ahead
        yield from walk(rows, size, start)
        return
    for i in range(start * size, len(rows), size):
        yield data.batch(rows[i : i + size])
