"""A file of a table as a frame, with every value as it stands there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xhat.core.errors import require
from xhat.data.column import Column
from xhat.data.readers import by_suffix

if TYPE_CHECKING:
    import pandas as pd


def table(path: str | Path, columns: Sequence[Column] | None = None) -> pd.DataFrame:
    """Read a table that `xhat.data.open` reads: what nets see of it are numbers alone, and a copy wants its own.

    Parameters
    ----------
    path : path
        Of an existing file, whose reader has a function `read_frame`.
    columns : sequence of Column, optional
        Of a fitted model: what is a text there is read as one.

    Raises
    ------
    ConfigError
        When it is no file of a table.
    DataError
        When it cannot be read as one.
    """
    path = Path(path).expanduser()
    read_frame = getattr(by_suffix().get(path.suffix.lower()), "read_frame", None)
    hint = "give a .csv or a .parquet file"
    require(read_frame is not None, path.name, "is no file of a table", f"'{path.suffix}'", hint)
    assert read_frame is not None
    frame: pd.DataFrame = read_frame(path, columns)
    return frame.set_axis([str(name) for name in frame.columns], axis=1)
