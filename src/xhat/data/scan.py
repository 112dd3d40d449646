"""One pass over all rows that gathers what the checks and the schema ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from xhat.core.shapes import size
from xhat.data.ahead import ahead
from xhat.data.layout import Rows
from xhat.data.source import Source

BLOCK = 1 << 20  # entries: small enough for memory to stay flat over a mapped file of any length

Place = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Scan:
    """What was seen.

    Parameters
    ----------
    low, high : array of shape (*X,)
        The smallest and greatest value of each entry over all rows; NaN where no row has one.
    missing : int
        How many entries are NaN, padding not among them.
    first_missing, first_infinite : tuple of int, optional
        (row, *place in the row) of the first NaN and the first infinity.
    """

    low: Rows
    high: Rows
    missing: int = 0
    first_missing: Place | None = None
    first_infinite: Place | None = None

    @classmethod
    def of(cls, rows: Rows | Source, mask: Rows | None = None, *, most: int | None = None) -> Self:
        """Scan rows block by block.

        Parameters
        ----------
        rows : array or Source of shape (N, *X)
            At least one.
        mask : bool array of shape (N, T), optional
            Which steps are there: NaN elsewhere is no gap but padding.
        most : int, optional
            Rows of a block, at most.
        """
        low = high = np.asarray(rows[0])
        missing, first_missing, first_infinite = 0, None, None
        for start, block in _blocks(rows, most):
            low = np.fmin(low, np.fmin.reduce(block, 0))  # fmin, fmax: NaN only where there is nothing else
            high = np.fmax(high, np.fmax.reduce(block, 0))
            if rows.dtype.kind == "f" and not np.isfinite(block).all():
                nan = np.isnan(block)
                if mask is not None:
                    there = mask[start : start + len(block)]
                    nan &= there.reshape(there.shape + (1,) * (block.ndim - there.ndim))
                missing += int(nan.sum())
                first_missing = first_missing or _first(nan, start)
                first_infinite = first_infinite or _first(np.isinf(block), start)
        return cls(low, high, missing, first_missing, first_infinite)

    @property
    def varies(self) -> bool:
        """Whether any entry differs between rows."""
        return bool((self.high > self.low).any())

    @property
    def unseen(self) -> Place | None:
        """The first place in a row that holds no value in any row."""
        return _first(np.isnan(self.low), None)


def _blocks(rows: Rows | Source, most: int | None) -> Iterator[tuple[int, Rows]]:
    entries = BLOCK
    if isinstance(rows, Source):
        entries = max(BLOCK, rows.grain * size(rows.shape[1:]))
    step = max(1, min(entries // max(1, size(rows.shape[1:])), most or len(rows)))
    starts = range(0, len(rows), step)
    if isinstance(rows, Source):
        yield from zip(starts, ahead(lambda start: rows[start : start + step], starts), strict=True)
        return
    for start in starts:
        yield start, rows[start : start + step]


def _first(where: Rows, start: int | None) -> Place | None:
    """Find the first True; of a block, counting rows from its `start`."""
    if not where.any():
        return None
    place = tuple(int(i) for i in np.unravel_index(int(where.argmax()), where.shape))
    return place if start is None else (place[0] + start, *place[1:])
