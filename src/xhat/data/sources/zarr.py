"""Zarr arrays: compressed chunks in a folder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xhat.core.errors import DataError
from xhat.data.layout import Rows
from xhat.data.source import Source


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
