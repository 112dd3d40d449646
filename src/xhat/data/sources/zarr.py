"""Zarr arrays: compressed chunks in a folder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xhat.core.errors import DataError, require
from xhat.data.layout import Rows
from xhat.data.memory import amount
from xhat.data.source import GROUP, SHARE, Source


class ZarrRows(Source):
    """Rows of a Zarr array; what is read in one go is a chunk's, or a shard's where chunks lie in such.

    A chunk that is not there reads as the array's fill value, as Zarr has it.

    Parameters
    ----------
    array : zarr.Array of shape (N, ...)
        Open for reading.
    name : str
        The source's short name.
    """

    def __init__(self, array: Any, name: str) -> None:
        self.array, self.name = array, name
        self.shape = tuple(array.shape)
        self.dtype = np.dtype(array.dtype).newbyteorder("=")
        self.grain = int((array.shards or array.chunks)[0])

    @property
    def chunk_bytes(self) -> int:
        """The bytes of what is read in one go: the chunks of all other axes, whole where the array ends amid them."""
        covered = [-(-length // chunk) * chunk for length, chunk in zip(self.shape, self.array.chunks, strict=True)]
        # Of a shard only those chunks are there that hold rows.
        return math.prod([min(self.grain, covered[0]), *covered[1:]]) * self.dtype.itemsize

    def check(self, memory: int) -> None:
        """Refuse chunks that do not fit beside what else is in memory, unless they are of a single row.

        Raises
        ------
        DataError
            With how to write the array again.
        """
        size, most = self.chunk_bytes, max(memory // SHARE, self.row_bytes)
        kind = "chunks" if self.array.shards is None else "shards"
        rule = f"{kind} are read whole, and those of the same rows may take {amount(most)} of {amount(memory)}"
        rows = max(1, min(GROUP, memory // SHARE) // self.row_bytes)
        without = "" if self.array.shards is None else " and no shards"
        hint = f"write it again with chunks={(rows, *self.shape[1:])}{without}, or allow more with memory= (--memory)"
        require(size <= most, self.name, rule, amount(size), hint, error=DataError)

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Read rows, each chunk once."""
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        cuts = np.flatnonzero(np.diff(ordered // self.grain)) + 1
        for part, places in zip(np.split(ordered, cuts), np.split(order, cuts), strict=True):
            if len(part):
                out[places] = self._read(int(part[0]), int(part[-1]) + 1)[part - part[0]]
        return out

    def _read(self, start: int, stop: int) -> Rows:
        try:
            return np.asarray(self.array[start:stop])
        # A codec raises what it likes of bytes that are none of its own.
        except Exception as error:
            hint = "restore the array, and open it again"
            raise DataError(self.name, f"rows {start} to {stop} cannot be read", error, hint) from error
