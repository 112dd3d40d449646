"""Arrays in one .npy file or in several that follow one another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xhat.core.errors import DataError, require
from xhat.core.shapes import size
from xhat.data.layout import Rows
from xhat.data.source import Source, runs

# Bytes that are read at once at most, and bytes between two rows that are rather read than jumped over.
PIECE, GAP = 1 << 23, 1 << 16


class NpyRows(Source):
    """Rows of .npy files, one after the other.

    They are read, not mapped: pages of a mapped file count as the process's own memory for as long as they stay.

    Parameters
    ----------
    maps : sequence of numpy.memmap
        The files, mapped by `mapped`; their rows have one shape and one type.
    name : str
        The source's short name.

    Raises
    ------
    DataError
        When a file is cut short, no array of numbers, in columns' order, or unlike the first.
    """

    def __init__(self, maps: Sequence[np.memmap], name: str) -> None:
        self.name, self.paths = name, [Path(str(rows.filename)) for rows in maps]
        first = maps[0]
        for path, rows in zip(self.paths, maps, strict=True):
            rule, hint = (
                f"rows must be of {first.shape[1:]} and {first.dtype}, as in {self.paths[0].name}",
                "leave it out",
            )
            same = rows.ndim > 0 and (rows.shape[1:], rows.dtype) == (first.shape[1:], first.dtype)
            require(same, path.name, rule, f"{rows.shape[1:]} and {rows.dtype}", hint, error=DataError)
            hint = "save it again with numpy.save(path, numpy.ascontiguousarray(rows))"
            ordered = rows.flags.c_contiguous
            require(ordered, path.name, "rows must lie one after the other", "columns do", hint, error=DataError)
        self.shape = (sum(len(rows) for rows in maps), *first.shape[1:])
        self.dtype = first.dtype.newbyteorder("=")
        self._stored = first.dtype
        self._offsets = [int(rows.offset) for rows in maps]
        self._starts = np.cumsum([0, *(len(rows) for rows in maps)])  # of each file, and the end

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Read rows, neighbours together."""
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        cuts = np.searchsorted(ordered, self._starts)
        for file, (start, stop) in enumerate(itertools.pairwise(cuts)):
            if start < stop:
                self._take(file, ordered[start:stop] - self._starts[file], out, order[start:stop])
        return out

    def _take(self, file: int, rows: NDArray[np.int64], out: Rows, places: NDArray[np.int64]) -> None:
        """Put sorted rows of one file at their places."""
        done, most = 0, max(1, PIECE // self.row_bytes)
        with FileIO(self.paths[file]) as opened:
            for run in runs(rows, max(1, GAP // self.row_bytes)):
                low = 0
                while low < len(run):
                    high = int(np.searchsorted(run, run[low] + most))
                    block = self._read(opened, file, int(run[low]), int(run[high - 1]) + 1)
                    out[places[done + low : done + high]] = block[run[low:high] - run[low]]
                    low = high
                done += len(run)

    def _read(self, opened: FileIO, file: int, start: int, stop: int) -> Rows:
        """Read rows start to stop of an open file."""
        block = np.empty((stop - start, *self.shape[1:]), self._stored)
        wanted, got = block.reshape(-1).view(np.uint8).data, 0
        opened.seek(self._offsets[file] + start * self.row_bytes)
        while got < len(wanted):
            more = opened.readinto(wanted[got:])
            rule, hint = "has become shorter since it was opened", "restore it, and open it again"
            require(bool(more), self.paths[file].name, rule, hint=hint, error=DataError)
            got += more
        return block


def mapped(path: Path) -> np.memmap:
    """Map an .npy file without reading its rows; refuse what is none, and one that is cut short."""
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        hint = "save an array of numbers with numpy.save"
        raise DataError(path.name, "cannot be read as an .npy file", error, hint) from error
    if not isinstance(rows, np.memmap) or size(rows.shape) == 0:
        raise DataError(path.name, "holds no rows", f"shape {rows.shape}", "leave it out")
    return rows
