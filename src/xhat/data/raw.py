"""What a reader brings home, before anything is decided or checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xhat.data.column import Column
from xhat.data.layout import Kind, Rows
from xhat.data.schema import Symbols
from xhat.data.source import Source


@dataclass(frozen=True, eq=False)
class Raw:
    """Rows as their source holds them.

    Parameters
    ----------
    rows : array of shape (N, ...)
        In the source's type and order of axes; perhaps a view of a mapped file.
    name : str
        The source's short name.
    labels : array of shape (N, ...), optional
        Numbers or names of classes.
    columns : tuple of str, optional
        A table's names, one an element.
    kind : str, optional
        What the rows are, where the source knows.
    mask : bool array of shape (N, T), optional
        Which steps of sequences are there.
    symbols : {"characters", "bytes", "numbers"}, optional
        What tokens stand for.
    vocabulary : tuple of str, optional
        Token i stands for ``vocabulary[i]``. A text comes without one: its rows are code points, or bytes.
    stride : int, optional
        Steps from the start of one window to the next, where rows are windows of one series.
    mixed : tuple of Column, optional
        The columns of a mixed table, whose rows are encoded already.
    source : Source, optional
        Where the rows are read from, where they do not fit into memory: `rows` then has their shape and type alone.
    """

    rows: Rows
    name: str
    labels: NDArray[Any] | None = None
    columns: tuple[str, ...] | None = None
    kind: Kind | None = None
    mask: NDArray[np.bool_] | None = None
    symbols: Symbols | None = None
    vocabulary: tuple[str, ...] | None = None
    stride: int | None = None
    mixed: tuple[Column, ...] | None = None
    source: Source | None = None

    @classmethod
    def streamed(cls, source: Source, **facts: Any) -> Self:
        """Say what a source's rows are without reading them."""
        return cls(np.broadcast_to(np.zeros((), source.dtype), source.shape), source.name, source=source, **facts)
