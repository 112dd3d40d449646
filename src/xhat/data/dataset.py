"""Rows to learn from, with their schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import DataError, ShapeError, require
from xhat.core.shapes import size
from xhat.data.ahead import ahead
from xhat.data.blocks import WINDOW, Blocks
from xhat.data.memory import amount
from xhat.data.scaling import FINE
from xhat.data.schema import Schema
from xhat.data.source import Source
from xhat.data.sources.pinned import PinnedRows
from xhat.data.split import Split, sparse


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows in the type of their source, perhaps still on the disk.

    Parameters
    ----------
    x : Tensor or Source of shape (N, *schema.shape)
        The rows, to be read and never written: they may be a view of the caller's array or of a mapped file. Of a
        source, which does not fit into memory, ask for some by `batch`, `walk` or `subset`; see `resident`.
    y : int64 or float Tensor of shape (N, ...), optional
        Labels; of classes -1 where a row has none.
    schema : Schema
        What the rows are.
    mask : bool Tensor of shape (N, T), optional
        Which steps of sequences are there. What pads the others is NaN, of tokens 0.
    blocks : Blocks, optional
        In what order rows are walked over, and how many of them statistics are taken of, where they are streamed.
    """

    x: Tensor | Source
    y: Tensor | None
    schema: Schema
    mask: Tensor | None = None
    blocks: Blocks | None = None

    def __post_init__(self) -> None:
        came, rule = tuple(self.x.shape[1:]), f"rows must be of the schema's shape {self.schema.shape}"
        require(came == self.schema.shape, "Dataset", rule, came, "make it with xhat.data.open", error=ShapeError)
        if self.y is not None:
            rule = f"each of the {len(self.x)} rows needs a label"
            hint = "give as many labels as rows, or None"
            require(len(self.y) == len(self.x), "Dataset", rule, len(self.y), hint, error=ShapeError)
        if self.mask is not None:
            steps, of = self.x.shape[:2], (self.mask.shape, self.mask.dtype)
            rule = f"a mask of these steps must be of shape {tuple(steps)} and of bool"
            hint = "make it with xhat.data.open"
            require(of == (steps, torch.bool), "Dataset", rule, f"{tuple(of[0])} of {of[1]}", hint, error=ShapeError)

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        s = self.schema
        labelled = "" if self.y is None else f", {self._labelled()}labelled"
        missing = (f", {s.missing} missing" if s.missing else "") + (", padded" if s.padded else "")
        symbols = f", {len(s.vocabulary)} symbols" if s.vocabulary else ""
        streamed = ", streamed" if self.streams else ""
        return (
            f"Dataset({s.name}: {len(self)} rows of {s.kind} {s.shape}, "
            f"{s.dtype} in [{s.low:g}, {s.high:g}]{symbols}{missing}{labelled}{streamed})"
        )

    def _labelled(self) -> str:
        # Other numbers below 0 are no classes.
        count = 0 if self.y is None or self.y.is_floating_point() or self.y.min() < -1 else int((self.y < 0).sum())
        return f"{len(self) - count} " if count else ""

    @property
    def streams(self) -> bool:
        """Whether rows are read from a source when they are asked for."""
        return isinstance(self.x, Source)

    @property
    def row_bytes(self) -> int:
        """The bytes of one row in memory, in the type of its source."""
        return self.x.row_bytes if isinstance(self.x, Source) else size(self.schema.shape) * self.x.element_size()

    @property
    def reading(self) -> str:
        """How rows come into memory, in words; empty where they are there or mapped."""
        if not isinstance(self.x, Source):
            return ""
        window = self._window(1) * self.x.row_bytes
        return f"streams {amount(self.x.nbytes)} in windows of {amount(window)}"

    @property
    def resident(self) -> Tensor:
        """All rows, where they lie in memory or are mapped.

        Raises
        ------
        DataError
            When they are streamed, which is for `xhat.fit` and for what a fitted model is asked.
        """
        if isinstance(self.x, Source):
            rule, hint = "does not fit into memory, and this needs all rows at once", "take fewer, or give more memory="
            raise DataError(self.schema.name, rule, f"{len(self)} rows that are streamed", hint)
        return self.x

    def batch(self, rows: Tensor) -> Batch:
        """Take rows into memory.

        Parameters
        ----------
        rows : int64 Tensor of shape (B,)
            Numbers of rows.

        Returns
        -------
        Batch
            ``x`` stays uint8 where it was (scaling happens on the device, and bytes travel faster); numbers that
            32-bit floats would round are float64 until they are scaled; all else is float32. ``mask`` is True on what
            is there: of padded sequences (B, T), where data has gaps (B, *X). Elsewhere ``x`` still holds NaN, for what
            to fill in is scaling's to say; tokens are padded by 0.
        """
        x = self._taken(rows)  # (B, *X)
        if x.dtype != torch.uint8:
            # Symbols are few, whatever type counts them.
            x = x.to(torch.float64 if x.dtype in FINE and self.schema.vocabulary is None else torch.float32)
        # Asked of the schema, not of the batch: whether there is a mask must not depend on who else is in the batch.
        # What pads is NaN as a gap is: of data with both, one look finds both.
        mask = ~x.isnan() if self.schema.missing else _taken(self.mask, rows)
        return Batch(x.contiguous(), mask=mask, y=_taken(self.y, rows))

    def subset(self, rows: Tensor) -> Dataset:
        """Copy some rows into a dataset of their own, under the same schema."""
        x = self._taken(rows) if isinstance(self.x, Source) else self.x[rows]
        return Dataset(x, _taken(self.y, rows), self.schema, _taken(self.mask, rows))

    def walk(self, rows: Tensor, size: int, start: int = 0) -> Iterator[Batch]:
        """Take rows batch after batch, those that are streamed a window at a time, the next one read meanwhile.

        Parameters
        ----------
        rows : int64 Tensor of shape (N,)
            Numbers of rows, in the order in which they are wanted.
        size : int
            Of a batch; the last may be smaller.
        start : int, default=0
            The batch to begin with.
        """
        if not isinstance(self.x, Source):
            for i in range(start * size, len(rows), size):
                yield self.batch(rows[i : i + size])
            return
        window = self._window(size)
        first = start * size
        # A window ends where one of the order's does, wherever the walk begins.
        ends = [*range((first // window + 1) * window, len(rows), window), len(rows)]
        begins = [first, *ends[:-1]] if first < len(rows) else []
        for part in ahead(self.subset, (rows[i:j] for i, j in zip(begins, ends, strict=False))):
            for places in torch.arange(len(part)).split(size):
                yield part.batch(places)
            del part  # the one that is read next has its place

    def some(self, rows: Tensor) -> Dataset:
        """Take rows into memory that statistics may be taken of: all, or an even sample where they are streamed."""
        return self.subset(self.few(rows))

    def few(self, rows: Tensor) -> Tensor:
        """Give the numbers of the rows that `some` takes."""
        return rows if self.blocks is None else self.blocks.some(rows)

    def pinned(self, rows: Tensor) -> Dataset:
        """Keep some rows in memory, which is for those that validate; the others stay where they are."""
        if not isinstance(self.x, Source):
            return self
        return replace(self, x=PinnedRows(self.x, rows.sort().values.numpy()))

    def split(self, validation: float = 0.1, *, seed: int = 0, most: int = 10_000) -> Split:
        """Draw rows that validate; see `Split.draw`. Of a table with gaps a value of each column is left to train."""
        if self.blocks is not None:
            # Among so many rows every column has values on both sides.
            most = min(most, self.blocks.sample)
            if 0 < validation < 1 and 1 <= (held := min(most, round(len(self) * validation))) <= len(self) // 8:
                return sparse(len(self), held, seed)
            return Split.draw(len(self), validation, seed=seed, most=most)
        gaps = self.schema.kind == "table" and self.schema.missing
        return Split.draw(len(self), validation, seed=seed, most=most, seen=~self.resident.isnan() if gaps else None)

    def _window(self, size: int) -> int:
        """How many rows of whole batches are read at a time."""
        if self.blocks is not None or not isinstance(self.x, Source):
            return len(self) if self.blocks is None else self.blocks.whole(size)
        return max(1, WINDOW // self.x.row_bytes // size) * size

    def _taken(self, rows: Tensor) -> Tensor:
        if isinstance(self.x, Source):
            return torch.from_numpy(self.x.take(rows.numpy()))
        return self.x.index_select(0, rows)


def _taken(of: Tensor | None, rows: Tensor) -> Tensor | None:
    return None if of is None else of[rows]
