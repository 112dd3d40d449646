"""One column of a mixed table: a number, or one of some categories."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from xhat.core.errors import DataError, require
from xhat.data.layout import Rows

if TYPE_CHECKING:
    import pandas as pd

Category = str | int | float | bool

# Of texts more different ones than half the rows are names, identifiers or prose, and more than so many would each
# have a few rows to be learned from; declared categories may be as many.
SHARE, MOST = 0.5, 1000


@dataclass(frozen=True)
class Column:
    """What a column of a table holds, in JSON's types.

    Parameters
    ----------
    name : str
        As in the table.
    dtype : str
        pandas' name of its type, as "int64", "str", "category" or "boolean".
    categories : tuple of str, int, float or bool, optional
        Its values, of which each row has one; None for numbers.
    ordered : bool
        Whether pandas holds the categories in order.
    whole : bool
        Whether its numbers are whole.
    low, high : float
        The smallest and the greatest number that was seen.
    """

    name: str
    dtype: str
    categories: tuple[Category, ...] | None = None
    ordered: bool = False
    whole: bool = False
    low: float = 0.0
    high: float = 0.0

    @property
    def width(self) -> int:
        """How many elements of a row it takes: one, or one a category."""
        return 1 if self.categories is None else len(self.categories)

    @property
    def elements(self) -> tuple[str, ...]:
        """Name these elements."""
        return (self.name,) if self.categories is None else tuple(f"{self.name}={value}" for value in self.categories)

    @classmethod
    def of(cls, series: pd.Series[Any], who: str) -> Self:
        """Describe a column; what it holds decides, then its type.

        Raises
        ------
        DataError
            When it holds dates, objects, or texts of which almost all differ.
        """
        import pandas as pd

        series = _plain(series)
        name, dtype = str(series.name), str(series.dtype)
        if isinstance(series.dtype, pd.CategoricalDtype):
            values = tuple(series.cat.categories.tolist())
            odd = next((value for value in values if not isinstance(value, str | int | float | bool)), None)
            hint = "make them texts or numbers"
            require(odd is None, who, f"column '{name}' has categories that are neither", odd, hint, error=DataError)
            require(bool(values), who, f"column '{name}' has no categories", hint="drop it", error=DataError)
            return cls(name, "category", values, ordered=bool(series.cat.ordered))
        match pd.api.types.infer_dtype(series, skipna=True):
            case "empty" | "string" if series.isna().all():
                raise DataError(who, f"every column needs a value in some row, none in column '{name}'", hint="drop it")
            case "boolean":
                return cls(name, dtype, (False, True))
            case "string":
                return cls(name, dtype, _texts(series, who))
            case "integer" | "floating" | "mixed-integer-float" | "integer-na":
                known = _numbers(series, name, who)
                known = known[np.isfinite(known)]
                whole = bool((known == np.rint(known)).all())
                low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
                return cls(name, dtype, whole=whole, low=low, high=high)
        raise _odd(series, who)

    def encode(self, series: pd.Series[Any], who: str) -> Rows:
        """Give the column as nets see it, (N, width): a number, or 1 at the category; NaN where it is missing.

        Raises
        ------
        DataError
            When a value is no number, or none of the categories.
        """
        import pandas as pd

        series = _plain(series)
        if self.categories is None:
            return _numbers(series, self.name, who)[:, None]
        if all(isinstance(value, str) for value in self.categories):
            series = _as_texts(series)
        known = pd.Index(list(self.categories), dtype=object)
        place = known.get_indexer(pd.Index(series, dtype=object))  # (N,), -1 for none
        unseen = (place < 0) & series.notna().to_numpy()
        if unseen.any():
            row = int(unseen.argmax())
            some = ", ".join(map(str, self.categories[:8])) + (", …" if self.width > 8 else "")
            rule = f"column '{self.name}' must hold one of {some}"
            hint = "the model has never seen it: replace it, or leave a gap there and open with missing=True"
            raise DataError(who, rule, f"{series.iloc[row]!r} in row {row}", hint)
        hot = np.eye(self.width, dtype=np.float32)[place]
        hot[place < 0] = np.nan
        return hot

    def read(self, value: Any) -> Rows:
        """Give one value, or a text that stands for it, as `encode` would, (width,).

        Raises
        ------
        DataError
            When it is no number that the column can hold, or none of the categories.
        """
        if self.categories is None:
            return np.array([self._read_number(value)])
        names = [str(category) for category in self.categories]
        same = [value == category or str(value) == name for category, name in zip(self.categories, names, strict=True)]
        rule = f"column '{self.name}' must be one of {', '.join(names[:20])}"
        require(True in same, "sample", rule, repr(value), error=DataError)
        return np.eye(self.width, dtype=np.float32)[same.index(True)]

    def _read_number(self, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        who, name = "sample", f"column '{self.name}'"
        require(math.isfinite(number), who, f"{name} must be a number", repr(value), error=DataError)
        whole = not self.whole or number.is_integer()
        require(whole, who, f"{name} must be a whole number", repr(value), "as all that were seen", error=DataError)
        # A draw is kept within what was seen: beyond it, it would not have what was asked for.
        rule, hint = f"{name} must lie between {self.low:.15g} and {self.high:.15g}", "the model has seen no other"
        # Single precision, in which the model works, may round the ends outwards.
        inside = self.low <= number <= self.high or np.float32(number) in (np.float32(self.low), np.float32(self.high))
        require(inside, who, rule, repr(value), hint, error=DataError)
        return number

    def decode(self, values: Rows) -> pd.Series[Any]:
        """Give the column in its own type, from numbers or the likeliest category of each row (N, width)."""
        import pandas as pd

        gap = np.isnan(values[:, 0])
        if self.categories is None:
            return self._numbers(values[:, 0], gap)
        place = np.where(gap, -1, np.nan_to_num(values).argmax(1))
        if self.dtype == "category":
            kept = pd.CategoricalDtype(list(self.categories), ordered=self.ordered)
            return pd.Series(pd.Categorical.from_codes(place, dtype=kept), name=self.name)
        found = np.array([*self.categories, None], dtype=object)[place]  # -1 finds the last
        series = pd.Series(found, name=self.name, dtype=object)
        # A plain type of booleans knows no gap.
        return series if gap.any() and self.dtype == "bool" else series.astype(pd.api.types.pandas_dtype(self.dtype))

    def _numbers(self, values: Rows, gap: Rows) -> pd.Series[Any]:
        import pandas as pd

        numbers = values.astype(np.float64)
        series = pd.Series(np.rint(numbers) if self.whole else numbers, name=self.name)
        dtype = pd.api.types.pandas_dtype(self.dtype)
        if not pd.api.types.is_integer_dtype(dtype):
            return series.astype(dtype)
        if gap.any() and isinstance(dtype, np.dtype):
            return series
        whole = pd.arrays.IntegerArray(_within(np.rint(numbers), str(dtype)), gap)
        return pd.Series(whole, name=self.name).astype(dtype)


def _within(numbers: Rows, dtype: str) -> Rows:
    """Turn whole numbers (N,) into integers, those beyond what the type holds into its ends, NaN into 0."""
    limits = np.iinfo(dtype.lower().partition("[")[0])
    numbers = np.nan_to_num(numbers)
    # The greatest of 64 bits is no double: the nearest one is a step too great, and would come out negative.
    above, below = numbers >= float(limits.max), numbers <= float(limits.min)
    integers = np.where(above | below, 0, numbers).astype(limits.dtype)
    integers[above], integers[below] = limits.max, limits.min
    return integers


def _plain(series: pd.Series[Any]) -> pd.Series[Any]:
    """Give a column in a type that holds its values one by one: not sparse, and no dictionary of Arrow's."""
    import pandas as pd

    if isinstance(series.dtype, pd.SparseDtype):
        return series.astype(series.dtype.subtype)
    if isinstance(series.dtype, pd.ArrowDtype) and series.dtype.kind == "O" and "dictionary" in str(series.dtype):
        return series.astype(object).astype("category")
    return series


def _texts(series: pd.Series[Any], who: str) -> tuple[str, ...]:
    known = series[series.notna()].astype(str)
    found = sorted(known.unique())
    if len(found) <= min(max(SHARE * len(known), 2), MOST):
        return tuple(found)
    import pandas as pd

    numbers = pd.to_numeric(known, errors="coerce").notna()
    if numbers.mean() >= 0.5:  # numbers, but for some odd cell
        raise _odd(series, who)
    name, came = series.name, f"{len(found)} different texts in {len(known)} rows"
    hint = f"drop it, group rare values, or name it as labels with labels='{name}' (--labels {name})"
    rule = f"column '{name}' must hold numbers or categories that repeat"
    raise DataError(who, rule, f"{came}, such as {known.iloc[0]!r}", hint)


def _as_texts(series: pd.Series[Any]) -> pd.Series[Any]:
    """Write values as texts: a file whose categories happen to be digits alone was read as numbers."""
    texts = series.astype(object).map(
        lambda value: str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    )
    return texts.where(series.notna().to_numpy(), None)


def _numbers(series: pd.Series[Any], name: str, who: str) -> Rows:
    import pandas as pd

    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iufb":
        return series.to_numpy(np.float64)
    if not pd.api.types.is_numeric_dtype(series) and pd.api.types.infer_dtype(series, skipna=True) not in (
        *("integer", "floating", "mixed-integer-float", "integer-na", "boolean", "empty"),
    ):
        raise _odd(series.rename(name), who)
    # pandas' own types mark gaps by an object that is no number.
    return pd.to_numeric(series.astype(object), errors="coerce").astype("Float64").to_numpy("float64", na_value=np.nan)


def _odd(series: pd.Series[Any], who: str) -> DataError:
    """Point at what is no number rather than at the first row: often it is one odd cell."""
    import pandas as pd

    there = series.notna()
    none = there & pd.to_numeric(series.astype(str), errors="coerce").isna()
    row = int((none if none.any() else there).to_numpy().argmax())
    name, came = series.name, f"{series.iloc[row]!r} in row {row}"
    hint = f"drop it, turn it into numbers, or name it as labels with labels='{name}' (--labels {name})"
    return DataError(who, f"column '{name}' must be numbers or categories", came, hint)
