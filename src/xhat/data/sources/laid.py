"""Rows laid out as nets see them, while they are read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xhat.data.layout import Layout, Rows
from xhat.data.source import Source


class LaidRows(Source):
    """A source whose rows change the order of their axes, as `Layout.canonical` says, and whose booleans are bytes.

    Parameters
    ----------
    source : Source
        As the file has it.
    layout : Layout
        How its rows lie.
    """

    def __init__(self, source: Source, layout: Layout) -> None:
        self.source, self.layout = source, layout
        one = layout.canonical(np.broadcast_to(np.zeros((), source.dtype), (1, *source.shape[1:])))
        self.name, self.shape = source.name, (len(source), *one.shape[1:])
        self.grain, self.edges, self.cheap = source.grain, source.edges, source.cheap
        self.dtype = np.dtype(np.uint8) if source.dtype.kind == "b" else source.dtype

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Read rows and lay them out; a view where axes move."""
        return self.layout.canonical(self.source.take(rows)).view(self.dtype)
