"""The order of an epoch over rows on a disk: blocks shuffled, and rows within a window of blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Int64
from torch import Tensor

from xhat.data.source import Source

# Bytes of a window, of which two are in memory: the one that trains and the one that is read.
WINDOW = 64 << 20
# Blocks in a window: what lies together on the disk, as one class of a sorted file, is one part in so many of it.
BLOCKS = 64


@dataclass(frozen=True)
class Blocks:
    r"""How rows are walked over and sampled where they are streamed.

    .. math:: (b_1, b_2, \ldots) = \text{shuffled blocks}, \qquad
        \text{window } i = \text{shuffled rows } [iw, (i + 1) w) \text{ of } b_1 \oplus b_2 \oplus \cdots

    A disk is read in blocks, in few places at a time; the rows of a batch come from all blocks of a window.

    Parameters
    ----------
    block : int or tuple of int
        Neighbouring rows that stay together until their window shuffles them: so many, or those from one of these to
        the next where a file is cut unevenly, beginning with 0. JSON gives the latter as a list.
    window : int
        w, rows.
    sample : int
        Rows at most that statistics are taken of, and that validate.
    """

    block: int | tuple[int, ...]
    window: int
    sample: int

    def __post_init__(self) -> None:
        if not isinstance(self.block, int):
            object.__setattr__(self, "block", tuple(self.block))

    @classmethod
    def of(cls, source: Source, memory: int) -> Self:
        """Choose blocks for a source that may take so many bytes of memory, of which its grain takes an eighth at most.

        All three numbers follow from the memory: give what `steady` says, for the same command to draw the same rows.
        """
        # Several of what is read in one go, or a window would be one place of the disk.
        most = min(max(WINDOW, 8 * source.grain * source.row_bytes), memory // 8)
        window = max(1, source.grain, most // source.row_bytes)
        least = max(window // BLOCKS, 1)
        block = _joined(source.edges, least) if source.edges else max(least, source.grain)
        # 4 bytes a value once it is scaled; PCA needs four times its sample.
        values = max(1, source.row_bytes // source.dtype.itemsize)
        return cls(block, window, max(2, memory // (64 * values)))

    def whole(self, size: int) -> int:
        """Give the rows of a window that holds whole batches of `size`."""
        return max(1, self.window // size) * size

    def order(self, rows: Int64[Tensor, "N"], size: int, generator: torch.Generator) -> Int64[Tensor, "N"]:
        """Shuffle rows for one epoch, each once.

        Parameters
        ----------
        rows : int64 Tensor of shape (N,)
            Which rows, by their numbers.
        size : int
            Of a batch.
        generator : torch.Generator
            The only thing beside the arguments that the order depends on.
        """
        if not len(rows):
            return rows
        ordered = rows if bool((rows[1:] > rows[:-1]).all()) else rows.sort().values
        starts = torch.searchsorted(ordered.contiguous(), self._edges(int(ordered[-1]) + 1)).tolist()
        blocks = torch.randperm(len(starts) - 1, generator=generator).tolist()
        order = torch.cat([ordered[starts[b] : starts[b + 1]] for b in blocks])
        for window in order.split(self.whole(size)):
            window.copy_(window[torch.randperm(len(window), generator=generator)])
        return order

    def some(self, rows: Int64[Tensor, "N"]) -> Int64[Tensor, "n"]:
        """Choose rows for statistics: short runs that lie evenly over all, `sample` of them at most."""
        if len(rows) <= self.sample:
            return rows
        together = self.block if isinstance(self.block, int) else len(rows) // len(self.block)
        run = max(1, min(together, self.sample // BLOCKS))
        count = max(1, self.sample // run)
        starts = torch.linspace(0, len(rows) - run, count, dtype=torch.float64).long()
        return rows[(starts[:, None] + torch.arange(run)).flatten().unique()]

    def _edges(self, stop: int) -> Int64[Tensor, "E"]:
        """Give where blocks begin, and at last a row from `stop` on."""
        if isinstance(self.block, int):
            return torch.arange(0, -(-stop // self.block) + 1) * self.block
        return torch.tensor([*(edge for edge in self.block if edge < stop), stop])


def _joined(edges: tuple[int, ...], least: int) -> tuple[int, ...]:
    """Leave out edges that would cut blocks of fewer rows: there would be too many places and numbers."""
    kept = list(edges[:1])
    for edge in edges[1:]:
        if edge - kept[-1] >= least:
            kept.append(edge)
    return tuple(kept)
