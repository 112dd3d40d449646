"""Tables in Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xhat.core.errors import DataError
from xhat.data.ask import Ask
from xhat.data.column import Column
from xhat.data.raw import Raw
from xhat.data.readers.frame import as_pandas, from_pandas

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".parquet", ".pq")


def read(path: Path, ask: Ask) -> Raw:
    """Read a table's columns.

    Raises
    ------
    DataError
        When it is no such file, or columns hold neither numbers nor categories.
    """
    ask.only("labels", "mixed", "columns", who=path.name)
    return from_pandas(read_frame(path), ask, path.stem)


def read_frame(path: Path, columns: Sequence[Column] | None = None) -> pd.DataFrame:
    """Read a table as it stands there; the file knows its types, whatever a model's columns are.

    Raises
    ------
    DataError
        When it is no such file.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table

    try:
        return as_pandas(read_table(path))
    except (ArrowException, OSError) as error:
        raise DataError(path.name, "cannot be read as a Parquet file", error, "write it again") from error
