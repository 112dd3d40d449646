"""What rows are read from where they do not fit into memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xhat.core.shapes import Shape, size
from xhat.data.layout import Rows

# What is read in one go, a row group or chunks, may take this part of what data may take: two windows lie beside it.
SHARE = 8
# And so many bytes of it are advised.
GROUP = 8 << 20


class Source(ABC):
    """Rows (N, *X) that are read from a disk when they are asked for; in memory are only those.

    It reads as an array does, ``source[5]`` or ``source[10:20]``, and gives its rows in native byte order. Reading
    draws no random numbers and keeps nothing, so that a thread may read while another one computes.
    """

    name: str
    shape: Shape  # (N, *X)
    dtype: np.dtype[Any]
    #: Rows that are read as fast together as one alone: of a file whose rows stand for themselves 1.
    grain: int = 1
    #: The first row of each of those, where they are not all of `grain` rows.
    edges: tuple[int, ...] = ()
    #: Whether a pass over all rows costs no more than reading them.
    cheap: bool = True

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which: int | slice) -> Rows:
        if isinstance(which, slice):
            start, stop, _ = which.indices(len(self))
            return self.take(np.arange(start, stop))
        return self.take(np.array([which]))[0]

    @property
    def ndim(self) -> int:
        """How many axes there are, that of rows included."""
        return len(self.shape)

    @property
    def row_bytes(self) -> int:
        """The bytes of one row in memory."""
        return max(1, size(self.shape[1:]) * self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes of all rows in memory."""
        return len(self) * self.row_bytes

    @abstractmethod
    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Read rows by their numbers (B,), in any order, as an array (B, *X) of their own.

        Raises
        ------
        DataError
            When the source can no longer be read as it was opened.
        """


def runs(rows: NDArray[np.int64], gap: int) -> list[NDArray[np.int64]]:
    """Cut sorted row numbers where more than `gap` rows lie between two: what is near is read in one go."""
    if not len(rows):
        return []
    return np.split(rows, np.flatnonzero(np.diff(rows) > gap) + 1)
