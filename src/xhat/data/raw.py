"""What a reader brings home, before anything is decided or checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from xhat.data.layout import Kind, Rows


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
        A table's names.
    kind : str, optional
        What the rows are, where the source knows.
    """

    rows: Rows
    name: str
    labels: NDArray[Any] | None = None
    columns: tuple[str, ...] | None = None
    kind: Kind | None = None
