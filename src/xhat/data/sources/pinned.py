"""Some rows kept in memory: those that are read again after every epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xhat.data.layout import Rows
from xhat.data.source import Source


class PinnedRows(Source):
    """A source of which some rows are read once.

    Parameters
    ----------
    source : Source
        Of all rows.
    rows : int64 array of shape (M,)
        Which are kept, sorted.
    """

    def __init__(self, source: Source, rows: NDArray[np.int64]) -> None:
        self.source, self.rows, self.kept = source, rows, source.take(rows)
        self.name, self.shape, self.dtype = source.name, source.shape, source.dtype
        self.grain, self.edges, self.cheap = source.grain, source.edges, source.cheap

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Read rows from memory where all are kept, else from the source."""
        if len(self.rows):
            places = np.searchsorted(self.rows, rows).clip(max=len(self.rows) - 1)
            if (self.rows[places] == rows).all():
                return self.kept[places]
        return self.source.take(rows)
