"""The order of an epoch, where some rows have a label and some have none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from xhat.engine.randomness import epoch_generator, epoch_order
from xhat.engine.rows import Blocks


@dataclass(frozen=True, eq=False)
class Order:
    """Which rows an epoch walks over, and in what order: a function of the seed and the epoch's number alone.

    Without `labelled` rows of their own an epoch is a shuffle of `rows`. With them it goes once over `rows`, which are
    then those without a label, and each batch begins with `drawn` labelled ones, from shuffle after shuffle of them.

    Parameters
    ----------
    rows : int64 Tensor of shape (N,)
        Walked over once in each epoch.
    batch_size : int
        B.
    seed : int
        Of the shuffles.
    labelled : int64 Tensor of shape (M,), optional
        Drawn as often as there are places for them.
    drawn : int, default=0
        How many places of each batch are theirs.
    blocks : Blocks, optional
        Of rows that are streamed: the shuffle keeps to what is near on the disk.
    """

    rows: Int64[Tensor, "N"]
    batch_size: int
    seed: int
    labelled: Int64[Tensor, "M"] | None = None
    drawn: int = 0
    blocks: Blocks | None = None

    @classmethod
    def of(
        cls, rows: Tensor, y: Tensor | None, share: float, batch_size: int, seed: int, blocks: Blocks | None = None
    ) -> Order:
        """Give each batch its share of labelled rows, if there are both kinds and a shuffle would give it less.

        Parameters
        ----------
        rows : int64 Tensor of shape (N,)
            The numbers of the rows to learn from.
        y : int64 Tensor of shape (M,), optional
            Labels of all rows of the data, below 0 where one has none.
        share : float
            Of each batch, in [0, 1).
        batch_size : int
            B.
        seed : int
            Of the shuffles.
        blocks : Blocks, optional
            How rows are shuffled that are streamed.
        """
        # At least one of each kind, however small the batch.
        drawn = min(max(round(share * batch_size), 1), batch_size - 1)
        if share > 0 and drawn > 0 and y is not None and y.ndim == 1 and not y.is_floating_point():
            known = y[rows] >= 0
            if known.any() and known.float().mean() < drawn / batch_size:
                return cls(rows[~known], batch_size, seed, rows[known], drawn, blocks)
        return cls(rows, batch_size, seed, blocks=blocks)

    def __len__(self) -> int:
        return len(self.rows) + self.steps * self.drawn

    @property
    def steps(self) -> int:
        """How many batches an epoch has; the last may be smaller."""
        return math.ceil(len(self.rows) / (self.batch_size - self.drawn))

    def once(self, rows: Tensor, number: int) -> Tensor:
        """Shuffle rows (N,) for an epoch, each once."""
        if self.blocks is None:
            return epoch_order(rows, self.seed, number)
        return self.blocks.order(rows, self.batch_size - self.drawn, epoch_generator(self.seed, number))

    def epoch(self, number: int) -> Tensor:
        """Give the rows of an epoch, batch after batch: all but the last of `batch_size`."""
        once = self.once(self.rows, number)
        if self.labelled is None:
            return once
        needed = self.steps * self.drawn
        times = math.ceil(needed / len(self.labelled))
        # Seeds of their own for each shuffle, behind those of the epochs.
        shuffles = [epoch_order(self.labelled, self.seed, -(number * times + i) - 1) for i in range(times)]
        drawn = torch.cat(shuffles)[:needed].split(self.drawn)
        rest = once.split(self.batch_size - self.drawn)
        return torch.cat([part for pair in zip(drawn, rest, strict=True) for part in pair])
