"""Rows to learn from, with their schema."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import ShapeError, require
from xhat.data.scaling import FINE
from xhat.data.schema import Schema
from xhat.data.split import Split


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows in the type of their source, perhaps still on the disk.

    Parameters
    ----------
    x : Tensor of shape (N, *schema.shape)
        The rows, to be read and never written: they may be a view of the caller's array or of a mapped file.
    y : int64 or float Tensor of shape (N, ...), optional
        Labels; of classes -1 where a row has none.
    schema : Schema
        What the rows are.
    mask : bool Tensor of shape (N, T), optional
        Which steps of sequences are there. What pads the others is NaN, of tokens 0.
    """

    x: Tensor
    y: Tensor | None
    schema: Schema
    mask: Tensor | None = None

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
        return (
            f"Dataset({s.name}: {len(self)} rows of {s.kind} {s.shape}, "
            f"{s.dtype} in [{s.low:g}, {s.high:g}]{symbols}{missing}{labelled})"
        )

    def _labelled(self) -> str:
        # Other numbers below 0 are no classes.
        count = 0 if self.y is None or self.y.is_floating_point() or self.y.min() < -1 else int((self.y < 0).sum())
        return f"{len(self) - count} " if count else ""

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
        x = self.x.index_select(0, rows)  # (B, *X)
        if x.dtype != torch.uint8:
            # Symbols are few, whatever type counts them.
            x = x.to(torch.float64 if x.dtype in FINE and self.schema.vocabulary is None else torch.float32)
        # Asked of the schema, not of the batch: whether there is a mask must not depend on who else is in the batch.
        # What pads is NaN as a gap is: of data with both, one look finds both.
        mask = ~x.isnan() if self.schema.missing else _taken(self.mask, rows)
        return Batch(x.contiguous(), mask=mask, y=_taken(self.y, rows))

    def subset(self, rows: Tensor) -> Dataset:
        """Copy some rows into a dataset of their own, under the same schema."""
        return Dataset(self.x[rows], _taken(self.y, rows), self.schema, _taken(self.mask, rows))

    def split(self, validation: float = 0.1, *, seed: int = 0, most: int = 10_000) -> Split:
        """Draw rows that validate; see `Split.draw`. Of a table with gaps a value of each column is left to train."""
        gaps = self.schema.kind == "table" and self.schema.missing
        return Split.draw(len(self), validation, seed=seed, most=most, seen=~self.x.isnan() if gaps else None)


def _taken(of: Tensor | None, rows: Tensor) -> Tensor | None:
    return None if of is None else of[rows]
