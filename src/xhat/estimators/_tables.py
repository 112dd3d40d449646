"""Rows with gaps as arrays of numbers or as frames that hold categories: what an imputer asks of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xhat.core.errors import DataError, require
from xhat.data import mixed
from xhat.data.column import Column
from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.data.readers import frame
from xhat.estimators._told import Rows

if TYPE_CHECKING:
    import pandas as pd

# What pandas finds in a column of numbers, whatever its type; "empty" is one of gaps alone.
NUMBERS = ("integer", "floating", "mixed-integer-float", "integer-na", "empty")


def frame_of(X: Any) -> pd.DataFrame | None:
    """Give a frame as pandas has it; None of an array."""
    return frame.as_pandas(X) if frame.accepts(X) else None


def holds_categories(table: pd.DataFrame) -> bool:
    """Tell whether some column holds no numbers; where all are of booleans without gaps, these are bits."""
    import pandas as pd

    if all(pd.api.types.is_bool_dtype(dtype) for dtype in table.dtypes):
        return bool(table.isna().to_numpy().any())
    kinds = [pd.api.types.infer_dtype(table.iloc[:, place], skipna=True) for place in range(table.shape[1])]
    return any(kind not in NUMBERS for kind in kinds)


def marked(rows: Any) -> Rows:
    """Give numbers of which those in gaps are NaN, (N, C); the others may be any."""
    return rows if isinstance(rows, np.ndarray) else np.where(rows.isna().to_numpy(), np.nan, 0.0)


def picked(rows: Any, columns: Rows) -> Any:
    """Give some columns of rows, told by a mask (C,)."""
    return rows[:, columns] if isinstance(rows, np.ndarray) else rows.loc[:, columns]


def opened(table: pd.DataFrame, **how: Any) -> Dataset:
    """Open a frame, with gaps where it has some."""
    return open_data(table, **(how | {"missing": bool(table.isna().to_numpy().any()), "name": "X"}))


def dressed(table: pd.DataFrame, values: Rows, columns: tuple[Column, ...], known: Rows) -> pd.DataFrame:
    """Put values (N, D) in the gaps of a frame's known columns, and 0 in those of the others."""
    import pandas as pd

    names = [str(name) for name in table.columns]
    plain = table.set_axis(names, axis=1)
    full = mixed.put(plain.loc[:, known], values, columns)
    parts = [full[name] if k else _zeros(plain[name]) for name, k in zip(names, known, strict=True)]
    return pd.concat(parts, axis=1).set_axis(table.columns, axis=1)


def check_zeros(table: pd.DataFrame, known: Rows) -> None:
    """Refuse to keep a column without a value that cannot hold 0.

    Raises
    ------
    DataError
        When it is one of texts or categories.
    """
    import pandas as pd

    for name in table.columns[~known]:
        holds = pd.api.types.is_numeric_dtype(table[name]) or table[name].dtype == object
        rule = f"keep_empty_features puts 0 where a feature has no value, which column '{name}' cannot hold"
        require(holds, "Imputer", rule, str(table[name].dtype), "drop it", error=DataError)


def _zeros(series: pd.Series[Any]) -> pd.Series[Any]:
    """Put 0 in the gaps of a column that had no value in `fit`."""
    zero = np.where(series.isna(), 0.0, series.astype(object))
    return type(series)(zero, series.index).astype(series.dtype)


def beside(table: pd.DataFrame, values: Rows, names: Rows) -> pd.DataFrame:
    """Append columns of numbers (N, C') to a frame."""
    import pandas as pd

    return pd.concat([table, pd.DataFrame(values, table.index, list(names))], axis=1)
