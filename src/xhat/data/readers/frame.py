"""Frames in memory: pandas, and others that turn into it (polars, Arrow)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xhat.core.catalogue import suggest
from xhat.core.errors import DataError, require
from xhat.data import mixed
from xhat.data.ask import Ask
from xhat.data.column import Column
from xhat.data.raw import Raw

if TYPE_CHECKING:
    import pandas as pd


# Arrow's whole numbers, and pandas' that know gaps.
WHOLE = {f"{sign}int{bits}": f"{sign.upper()}Int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}


def accepts(source: Any) -> bool:
    """Tell frames from arrays; pandas need not be imported for it."""
    return any(hasattr(source, method) for method in ("iloc", "to_pandas")) and hasattr(source, "columns")


def read(source: Any, ask: Ask) -> Raw:
    """Take a frame's columns."""
    ask.only("labels", "mixed", "columns", who="frame")
    return from_pandas(as_pandas(source), ask, "frame")


def as_pandas(source: Any) -> pd.DataFrame:
    """Turn a frame into pandas', in which whole numbers stay such beside gaps: by default they become floats there."""
    if not hasattr(source, "to_pandas"):
        frame: pd.DataFrame = source
        return frame
    frame = source.to_pandas()
    table = source.to_arrow() if hasattr(source, "to_arrow") else source
    if hasattr(table, "schema") and hasattr(table, "column_names"):
        import pandas as pd

        for name, column in zip(table.column_names, table.columns, strict=True):
            kind = str(column.type)
            if column.null_count and kind in WHOLE:
                frame[name] = pd.Series(column.to_pylist(), frame.index, WHOLE[kind])
    return frame


def from_array(source: Any, columns: Sequence[Column]) -> pd.DataFrame:
    """Name the columns of an array (N, C) as a model's: it has none of its own."""
    import pandas as pd

    values = np.asarray(source)
    rule = f"the model reads tables of {len(columns)} columns"
    fits = values.ndim == 2 and values.shape[1] == len(columns)
    require(fits, "array", rule, f"shape {values.shape}", "give a frame, or its values", error=DataError)
    # An array of objects says nothing of its columns' types.
    return pd.DataFrame(values, columns=[column.name for column in columns]).infer_objects()


def from_pandas(frame: pd.DataFrame, ask: Ask, name: str) -> Raw:
    """Take the columns of a frame, and its labels out of it.

    Where all columns are numbers, rows are these numbers, in their common type. Else, or where it is asked for, the
    table is mixed: each column is described, and categories are encoded.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (N, C)
        Columns of numbers, texts that repeat, categories or booleans. Their names become texts: column 0 is called "0".
    ask : Ask
        ``labels`` is the name of a column that is not learned.
    name : str
        The source's short name.

    Raises
    ------
    DataError
        When there is no such column, or another one holds dates, identifiers or the like.
    """
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    twice = frame.columns[frame.columns.duplicated()]
    require(twice.empty, name, "columns must have names of their own", ", ".join(twice), "rename one", error=DataError)
    require(len(frame) > 0, name, "has no rows", hint="give at least 2", error=DataError)
    labels = None
    if ask.labels is not None:
        labels = labels_of(frame, ask.labels, name)
        frame = frame.drop(columns=ask.labels)
    require(
        frame.shape[1] > 0, name, "has no columns to learn from", hint="leave some beside the labels", error=DataError
    )
    if ask.columns is not None or ask.mixed or mixed.is_mixed(frame):
        columns = ask.columns or mixed.describe(frame, name)
        rows = mixed.encode(frame, columns, name)
        return Raw(rows, name, labels=labels, columns=mixed.elements(columns), kind="table", mixed=columns)
    frame = frame.astype({column: "uint8" for column in frame if frame[column].dtype == bool})
    rows = _values(frame)
    return Raw(rows, name, labels=labels, columns=tuple(frame.columns), kind="table")


def labels_of(frame: pd.DataFrame, column: str, who: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Take a column of labels, None where there is none; refuse a name that no column has."""
    if column not in frame:
        # Of a wide table, name the near ones or the first few.
        some = difflib.get_close_matches(column, frame.columns) or list(frame.columns[:20])
        raise DataError(who, f"has no column '{column}' for labels", hint=suggest(column, some))
    labels, gaps = frame[column], frame[column].isna()
    # Several types of pandas have their own word for a gap, and None is one for all.
    return labels.astype(object).where(~gaps, None).to_numpy() if gaps.any() else labels.to_numpy()


def _values(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[Any]]:
    import pandas as pd

    gaps = [pd.api.types.is_extension_array_dtype(frame[column].dtype) for column in frame]
    # pandas' own types mark gaps by an object that is no number; the common type of floats marks them by NaN.
    return frame.to_numpy(np.float64, na_value=np.nan) if any(gaps) else frame.to_numpy()
