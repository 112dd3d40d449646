"""Tables in text files: .csv, .tsv, .txt, with or without a header, separated by whatever separates them."""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xhat.core.errors import DataError, require
from xhat.data.ask import Ask
from xhat.data.column import Column
from xhat.data.raw import Raw
from xhat.data.readers.frame import from_pandas

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".txt")

MISSING = ("", "?")
GAPS = (*MISSING, "? ", "nan", "NaN")
# What other programs write for a gap: taken for one where all else in a column are numbers, for it may be a name.
WORDS = ("NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NULL", "null", "None", "NAN", "-nan", "-NaN")
YEARS = range(1800, 2200)
SEPARATORS = (",", ";", "\t", "|")
SPACES = r"\s+"
SAMPLE = 50  # lines that are looked at
AS_TEXT = "a text is opened with kind='text' (--rows text)"


def read(path: Path, ask: Ask) -> Raw:
    """Read a table's columns.

    Raises
    ------
    DataError
        When rows differ in length, or columns hold neither numbers nor categories.
    """
    ask.only("labels", "mixed", "columns", who=path.name)
    return from_pandas(read_frame(path, ask.columns), ask, path.stem)


def read_frame(path: Path, columns: Sequence[Column] | None = None) -> pd.DataFrame:
    """Read a table as it stands there; columns without a header are called c0, c1, ….

    An empty cell, "?" or "nan" is a gap; beside numbers alone also what other programs write for one, as "NA". An
    unnamed first column that counts the rows, as pandas writes, is left out.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of Column, optional
        Of a fitted model: those that hold texts there are read as texts, so that "01" does not become 1.

    Raises
    ------
    DataError
        When rows differ in length.
    """
    import pandas as pd

    try:
        lines = _sample(path)
        separator = _separator(lines)
        first, *rest = _cells(lines, separator)
        header = _is_header(first, rest)
        with warnings.catch_warnings():
            # pandas would cut overlong rows and go on.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                sep=separator,
                header=0 if header else None,
                names=first if header else [f"c{i}" for i in range(len(first))],
                index_col=False,
                skipinitialspace=True,
                dtype=dict.fromkeys(_texts(columns), str),
                keep_default_na=False,
                na_values=list(GAPS),
                low_memory=False,  # one type a column, not one a block
                encoding="utf-8-sig",
            )
    except (ValueError, pd.errors.ParserWarning, csv.Error) as error:
        hint = "each line must hold the same number of cells, in UTF-8"
        if path.suffix.lower() == ".txt":
            hint += f"; {AS_TEXT}"
        raise DataError(path.name, "cannot be read as a table", str(error).strip(), hint) from error
    for name in frame.columns.difference(_texts(columns)):
        frame[name] = _without_words(frame[name])
    # Prose whose lines happen to have as many commas each.
    prose = path.suffix.lower() == ".txt" and not any(pd.api.types.is_numeric_dtype(frame[c]) for c in frame)
    require(not prose, path.name, "holds no column of numbers", hint=AS_TEXT, error=DataError)
    return _without_index(frame)


def _sample(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        # readline's limit: a file without line ends must not fill the memory.
        lines = [file.readline(1 << 20) for _ in range(SAMPLE)]
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise ValueError("there is only white space")
    return lines


def _cells(lines: list[str], separator: str) -> list[list[str]]:
    if separator == SPACES:
        return [line.split() for line in lines]
    return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator, skipinitialspace=True)]


def _separator(lines: list[str]) -> str:
    """Choose what cuts every line into the same number of cells, the greatest above one; else white space."""
    best, most = SPACES, 1
    for separator in SEPARATORS:
        counts = {len(row) for row in _cells(lines, separator)}
        if len(counts) == 1 and (count := counts.pop()) > most:
            best, most = separator, count
    if most > 1:
        return best
    # A single column, or lines of unequal length: pandas names the first of them by the separator that is there.
    spaced = {len(line.split()) for line in lines}
    present = (separator for separator in SEPARATORS if separator in lines[0])
    return next(present, SPACES if len(spaced) == 1 else ",")


def _is_header(first: list[str], rest: list[list[str]]) -> bool:
    """Tell a header: it holds no number and no gap but perhaps its first cell, while lines below hold numbers.

    Where they hold none, as of categories alone, no name of a column is among its values. Some names may be numbers,
    all being different, where another one stands above numbers alone, or where they are years that stand above other
    numbers and no other name is among its values.
    """
    named = all(cell not in MISSING for cell in first[1:]) and first[0] != "?"
    if not named:
        return False
    below = [{row[i] for row in rest if i < len(row)} - {*MISSING} for i in range(len(first))]
    apart = not any(cell in values for cell, values in zip(first, below, strict=True))
    if any(map(_is_number, first)):
        return len(set(first)) == len(first) and (_tops_numbers(first, below) or (apart and _names_years(first, below)))
    if any(_is_number(cell) for row in rest for cell in row):
        return True
    return len(rest) > 1 and apart


def _tops_numbers(first: list[str], below: list[set[str]]) -> bool:
    """Tell whether some cell that is no number stands above numbers alone."""
    pairs = zip(first, below, strict=True)
    return any(cell and not _is_number(cell) and values and all(map(_is_number, values)) for cell, values in pairs)


def _names_years(first: list[str], below: list[set[str]]) -> bool:
    """Tell whether all numbers among names are years, each above numbers that are not all years."""
    columns = [(cell, values) for cell, values in zip(first, below, strict=True) if _is_number(cell)]
    return len(columns) < len(first) and all(
        _is_year(cell) and values and all(map(_is_number, values)) and not all(map(_is_year, values))
        for cell, values in columns
    )


def _is_year(cell: str) -> bool:
    return cell.isdecimal() and int(cell) in YEARS


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))  # "nan" and "inf" may be names
    except ValueError:
        return False


def _texts(columns: Sequence[Column] | None) -> list[str]:
    """Name the columns whose categories are texts."""
    return [c.name for c in columns or () if c.categories and all(isinstance(value, str) for value in c.categories)]


def _without_words(series: pd.Series[Any]) -> pd.Series[Any]:
    """Make gaps of words that stand for one, where all else are numbers."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        return series
    words = series.astype(str).str.strip().isin(WORDS) & series.notna()
    rest = series[~words & series.notna()]
    numbers = pd.to_numeric(rest, errors="coerce")
    return numbers.reindex(series.index) if words.any() and len(rest) and numbers.notna().all() else series


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    unnamed = frame.columns[0] == ""
    return frame.drop(columns="") if unnamed and list(frame[""]) == list(range(len(frame))) else frame
