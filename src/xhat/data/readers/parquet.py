"""Tables in Parquet files, streamed where they are larger than memory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xhat.core.errors import DataError
from xhat.data.ask import Ask
from xhat.data.column import Column
from xhat.data.memory import allowed
from xhat.data.mixed import elements, is_mixed
from xhat.data.raw import Raw
from xhat.data.readers.frame import as_pandas, from_pandas, labels_of
from xhat.data.sources.parquet import ParquetRows

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
    return _read([path], path.stem, ask)


def read_folder(folder: Path, ask: Ask) -> Raw:
    """Read a folder's files one after the other, in the order of their names.

    Raises
    ------
    DataError
        When one is broken, or has other columns than the first.
    """
    folder = folder.resolve()
    ask.only("labels", "mixed", "columns", who=folder.name)
    return _read(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES), folder.name, ask)


def _read(paths: list[Path], name: str, ask: Ask) -> Raw:
    memory = allowed(ask.memory)
    if memory >= sys.maxsize:  # for what is made of the whole
        return from_pandas(_joined(paths), ask, name)
    source = ParquetRows(paths, name, ask.labels, ask.columns)
    if max(source.nbytes, source.stored) <= memory:
        return from_pandas(_joined(paths), ask, name)
    labels = None
    if ask.labels is not None:
        known = ask.labels in source.empty
        labels = labels_of(source.column(ask.labels) if known else source.empty, ask.labels, name)
    own = source.empty[source.names]
    columns = ask.columns
    if columns is None and (ask.mixed or is_mixed(own)):
        # One column at a time, for what is in it must be known before a row can be encoded.
        columns = tuple(Column.of(source.column(column)[column], name) for column in source.names)
    if columns is not None:
        source = ParquetRows(paths, name, ask.labels, columns)
    source.check(memory)
    names = elements(columns) if columns else tuple(source.names)
    return Raw.streamed(source, labels=labels, columns=names, kind="table", mixed=columns)


def _joined(paths: list[Path]) -> pd.DataFrame:
    import pandas as pd

    frames = [read_frame(path) for path in paths]
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


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
