"""Some rows of a source, as a source of their own: those that are looked at where all would cost too much."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xhat.data.layout import Rows
from xhat.data.source import Source


class PickedRows(Source):
    """Rows of another source, numbered anew.

    Parameters
    ----------
    source : Source
        Of all rows.
    rows : int64 array of shape (M,)
        Which, in order.
    grain : int
        How many are read in one go.
    """

    def __init__(self, source: Source, rows: NDArray[np.int64], grain: int) -> None:
        self.source, self.rows, self.grain = source, rows, grain
        self.name, self.shape = source.name, (len(rows), *source.shape[1:])
        self.dtype, self.cheap = source.dtype, source.cheap

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Read rows by their new numbers."""
        return self.source.take(self.rows[rows])
