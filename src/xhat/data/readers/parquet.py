"""Tables in Parquet files."""

from __future__ import annotations

from pathlib import Path

from xhat.core.errors import DataError
from xhat.data.ask import Ask
from xhat.data.raw import Raw
from xhat.data.readers.frame import from_pandas

SUFFIXES = (".parquet", ".pq")


def read(path: Path, ask: Ask) -> Raw:
    """Read a table's columns.

    Raises
    ------
    DataError
        When it is no such file, or columns hold neither numbers nor categories.
    """
    ask.only("labels", "mixed", "columns", who=path.name)
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table

    try:
        frame = read_table(path).to_pandas()
    except (ArrowException, OSError) as error:
        raise DataError(path.name, "cannot be read as a Parquet file", error, "write it again") from error
    return from_pandas(frame, ask, path.stem)
