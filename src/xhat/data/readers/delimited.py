"""Tables in text files: .csv, .tsv, .txt, with or without a header, separated by whatever separates them."""

from __future__ import annotations

import csv
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from xhat.core.errors import DataError, require
from xhat.data.ask import Ask
from xhat.data.raw import Raw
from xhat.data.readers.frame import from_pandas

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".txt")

MISSING = ("", "?")
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
    return from_pandas(read_frame(path), ask, path.stem)


def read_frame(path: Path) -> pd.DataFrame:
    """Read a table as it stands there; columns without a header are called c0, c1, ….

    An unnamed first column that counts the rows, as pandas writes, is left out.

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
                na_values=["?", "? "],
                low_memory=False,  # one type a column, not one a block
                encoding="utf-8-sig",
            )
    except (ValueError, pd.errors.ParserWarning, csv.Error) as error:
        hint = "each line must hold the same number of cells, in UTF-8"
        if path.suffix.lower() == ".txt":
            hint += f"; {AS_TEXT}"
        raise DataError(path.name, "cannot be read as a table", str(error).strip(), hint) from error
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

    Where they hold none, as of categories alone, no name of a column is among its values.
    """
    named = all(cell not in MISSING for cell in first[1:]) and first[0] != "?"
    if not named or any(map(_is_number, first)):
        return False
    if any(_is_number(cell) for row in rest for cell in row):
        return True
    below = [{row[i] for row in rest if i < len(row)} for i in range(len(first))]
    return len(rest) > 1 and not any(cell in values for cell, values in zip(first, below, strict=True))


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))  # "nan" and "inf" may be names
    except ValueError:
        return False


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    unnamed = frame.columns[0] == ""
    return frame.drop(columns="") if unnamed and list(frame[""]) == list(range(len(frame))) else frame
