"""Mixed tables: columns of numbers and of categories as rows of numbers, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xhat.core.catalogue import suggest
from xhat.core.errors import DataError
from xhat.data.column import Column
from xhat.data.layout import Rows

if TYPE_CHECKING:
    import pandas as pd


def is_mixed(frame: pd.DataFrame) -> bool:
    """Tell whether some column holds no numbers; where all hold booleans, these are bits, thus numbers."""
    import pandas as pd

    plain = [pd.api.types.is_numeric_dtype(frame[name]) for name in frame]
    bits = [pd.api.types.is_bool_dtype(frame[name]) for name in frame]
    return not all(plain) or (any(bits) and not all(bits))


def describe(frame: pd.DataFrame, who: str) -> tuple[Column, ...]:
    """Say what each column holds; see `Column.of`."""
    return tuple(Column.of(frame[name], who) for name in frame)


def encode(frame: pd.DataFrame, columns: Sequence[Column], who: str) -> Rows:
    """Give rows as nets see them.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (N, C)
        With these columns, in any order.
    columns : sequence of Column
        Of the frame itself, or of what a model was fitted to.
    who : str
        The source's name, for errors.

    Returns
    -------
    float64 array of shape (N, D)
        A number takes one element, a category as many as there are: 1 at its own, else 0. Missing is NaN, of a
        category in all of its elements.

    Raises
    ------
    DataError
        When a column is lacking or too many, or holds what the description does not know.
    """
    names = [column.name for column in columns]
    for name in names:
        if name not in frame:
            raise DataError(who, f"has no column '{name}', which the model reads", hint=suggest(name, frame.columns))
    unknown = [name for name in frame if name not in names]
    if unknown:
        raise DataError(who, "the model knows no such column", f"'{unknown[0]}'", "drop it, or name it as labels")
    # Filled in place: the blocks of many categories would not fit twice.
    rows = np.empty((len(frame), sum(column.width for column in columns)))
    for column, block in blocks(columns):
        rows[:, block] = column.encode(frame[column.name], who)
    return rows


def known_row(where: Mapping[str, Any], columns: Sequence[Column]) -> Rows:
    """Give a row (D,) of which these columns are known, by their names; NaN elsewhere.

    Raises
    ------
    DataError
        When there is no such column, or it cannot hold such a value.
    """
    names = [column.name for column in columns]
    for name in where:
        if name not in names:
            raise DataError("sample", f"the model knows no column '{name}'", hint=suggest(name, names))
    row = np.full(sum(column.width for column in columns), np.nan)
    for column, block in blocks(columns):
        if column.name in where:
            row[block] = column.read(where[column.name])
    return row


def decode(rows: Rows, columns: Sequence[Column]) -> pd.DataFrame:
    """Give a frame with the columns' own types from rows (N, D) of numbers and of scores for categories."""
    import pandas as pd

    return pd.DataFrame({column.name: column.decode(rows[:, block]) for column, block in blocks(columns)})


def indexed(values: Any, like: Any) -> Any:
    """Give a frame the index of the frame that it was made of, row by row; anything else as it is."""
    both = hasattr(values, "set_axis") and hasattr(like, "set_axis")
    return values.set_axis(like.index, axis=0) if both else values


def put(frame: pd.DataFrame, rows: Rows, columns: Sequence[Column]) -> pd.DataFrame:
    """Put what rows (N, D) say into the gaps of a frame; what was observed stays as it came, and so do types.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (N, C)
        With these columns, in any order.
    rows : array of shape (N, D)
        Numbers, which are kept within what was seen, and scores for categories.
    columns : sequence of Column
        What the rows hold.
    """
    drawn = decode(clipped(rows, columns), columns)
    return frame.assign(**{column.name: _put(frame[column.name], drawn[column.name]) for column in columns})


def _put(series: pd.Series[Any], drawn: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    gap = series.isna().to_numpy()
    if not gap.any():
        return series
    values = drawn[gap]
    if isinstance(series.dtype, pd.CategoricalDtype):  # this frame's may be fewer than those of the model
        lacking = pd.unique(values.astype(object)[~values.isin(series.cat.categories).to_numpy()])
        series = series.cat.add_categories(list(lacking))
    elif pd.api.types.is_integer_dtype(series.dtype):
        values = values.round()
    filled = series.astype(object)
    filled[gap] = values.astype(object).to_numpy()
    return filled.astype(series.dtype)


def blocks(columns: Sequence[Column]) -> Iterator[tuple[Column, slice]]:
    """Give each column with its place in a row."""
    start = 0
    for column in columns:
        yield column, slice(start, start + column.width)
        start += column.width


def elements(columns: Sequence[Column]) -> tuple[str, ...]:
    """Name the D elements of a row."""
    return tuple(name for column in columns for name in column.elements)


def gaps(rows: Rows, columns: Sequence[Column]) -> int:
    """Count missing cells: of a category one, however many elements it has."""
    return sum(int(np.isnan(rows[:, block.start]).sum()) for _, block in blocks(columns))


def clipped(rows: Rows, columns: Sequence[Column]) -> Rows:
    """Keep numbers within what was seen; so that a draw's tail makes no age below zero."""
    low, high = np.full(rows.shape[1], -np.inf), np.full(rows.shape[1], np.inf)
    for column, block in blocks(columns):
        if column.categories is None:
            low[block], high[block] = column.low, column.high
    return np.clip(rows, low, high)


def widened(columns: Sequence[Column], rows: Rows) -> tuple[Column, ...]:
    """Describe columns that were seen in more rows (N, D): their numbers' range is then that of all."""
    found = []
    for column, block in blocks(columns):
        known = rows[:, block.start]
        known = known[~np.isnan(known)]
        if column.categories is None and len(known):
            low, high = min(column.low, float(known.min())), max(column.high, float(known.max()))
            column = replace(column, low=low, high=high)
        found.append(column)
    return tuple(found)


def read_columns(described: Sequence[Any]) -> tuple[Column, ...]:
    """Read columns from JSON."""
    return tuple(
        Column(**(one | {"categories": None if one["categories"] is None else tuple(one["categories"])}))
        for one in described
    )
