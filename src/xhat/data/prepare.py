"""From what a reader brought home to a checked dataset."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from xhat.core.errors import DataError, require
from xhat.core.shapes import size
from xhat.data import mixed
from xhat.data.blocks import Blocks
from xhat.data.dataset import Dataset
from xhat.data.labels import Labels
from xhat.data.layout import Kind, Rows, guess
from xhat.data.raw import Raw
from xhat.data.scan import Place, Scan
from xhat.data.schema import Schema
from xhat.data.source import Source
from xhat.data.sources.laid import LaidRows
from xhat.data.sources.picked import PickedRows

# Rows that are looked at where not all are: pictures have no gaps, and a range that is known.
SOME = 1024


def prepare(
    raw: Raw, *, kind: Kind | None = None, missing: bool = False, to_learn: bool = True, memory: int = 0
) -> Dataset:
    """Check rows, lay them out as nets see them and describe them.

    Parameters
    ----------
    raw : Raw
        What a reader brought home; its rows are not copied where their type allows.
    kind : str, optional
        What the rows are, in place of what their axes suggest.
    missing : bool, default=False
        Whether NaN may stand for entries that were not observed.
    to_learn : bool, default=True
        Whether to refuse rows that nothing can be learned from, though a fitted model could read them.
    memory : int
        Bytes that rows of a source may take.

    Raises
    ------
    ConfigError
        When there is no such kind.
    DataError
        When the rows cannot be learned from as they are.
    """
    rows = _numeric(raw)
    layout = guess(rows, kind or raw.kind, raw.name)
    rows = layout.canonical(rows)
    least, hint = (2, "a model learns what rows have in common") if to_learn else (1, "give some data")
    require(len(rows) >= least, raw.name, f"needs at least {least} rows", len(rows), hint, error=DataError)
    require(size(rows.shape[1:]) > 0, raw.name, "rows must not be empty", f"shape {rows.shape}", error=DataError)
    source = None if raw.source is None else LaidRows(raw.source, layout)
    blocks = None if source is None else Blocks.of(source, memory)
    scan = Scan.of(rows, raw.mask) if source is None or blocks is None else _scanned(source, blocks.window)
    _check(scan, raw, missing)
    if to_learn:
        _check_variety(scan, raw, layout.kind)
    labels = None if raw.labels is None else Labels.encode(raw.labels, len(rows), raw.name)
    low, high = float(np.fmin.reduce(scan.low, None)), float(np.fmax.reduce(scan.high, None))
    schema = Schema(
        kind=layout.kind,
        shape=rows.shape[1:],
        dtype=raw.rows.dtype.name,
        # Of symbols all are possible, whichever came.
        low=0.0 if raw.vocabulary else low,
        high=len(raw.vocabulary) - 1.0 if raw.vocabulary else high,
        layout=layout.axes,
        columns=raw.columns,
        missing=_missing(scan, raw),
        labels=labels.names if labels else None,
        name=raw.name,
        padded=raw.mask is not None,
        stride=raw.stride,
        symbols=raw.symbols,
        vocabulary=raw.vocabulary,
        mixed=raw.mixed,
    )
    y = labels.y if labels else None
    if source is not None:
        return Dataset(source, y, schema, blocks=blocks)
    mask = None if raw.mask is None else torch.from_numpy(raw.mask)
    return Dataset(_tensor(rows), y, schema, mask)


def _scanned(source: Source, window: int) -> Scan:
    """Look at all rows of a source, or at some of them where they are bytes that cost much to read."""
    if source.cheap or source.dtype != np.uint8:
        return Scan.of(source, most=window)
    some = np.linspace(0, len(source) - 1, min(len(source), SOME)).astype(np.int64)
    # A window and not a block of the scan: images are decoded side by side where there are enough of them.
    return Scan.of(PickedRows(source, some, grain=window), most=window)


def _numeric(raw: Raw) -> Rows:
    dtype = raw.rows.dtype
    if dtype.kind == "b":
        return raw.rows.view(np.uint8)
    advice = {
        "c": "split it into real and imaginary parts",
        "O": "give numbers of one type: numpy found rows of unequal length, texts or None",
    }
    hint = advice.get(dtype.kind, "convert it to float32, or drop what is no number")
    # Eight bytes: torch has no longer numbers.
    numeric = dtype.kind in "iuf" and dtype.itemsize <= 8
    require(numeric, raw.name, "data must be real numbers", f"dtype {dtype}", hint, error=DataError)
    return raw.rows


def _check(scan: Scan, raw: Raw, missing: bool) -> None:
    who = raw.name
    if scan.first_infinite:
        hint = "drop these rows, or put NaN there and open with missing=True (--missing)"
        raise DataError(who, "every value must be finite", f"inf {_at(scan.first_infinite, raw)}", hint)
    if scan.missing and not missing:
        came = f"{_missing(scan, raw)} NaN, the first {_at(scan.first_missing or (), raw)}"
        hint = "open it with missing=True (--missing) to learn around the gaps"
        raise DataError(who, "no value may be missing", came, hint)
    extreme = max(abs(float(np.fmin.reduce(scan.low, None))), abs(float(np.fmax.reduce(scan.high, None))))
    fits = not extreme > float(np.finfo(np.float32).max)
    require(fits, who, "values must fit 32-bit floats", extreme, "divide them first", error=DataError)


def _check_variety(scan: Scan, raw: Raw, kind: Kind) -> None:
    # Of an image, a pixel may always be hidden: others say how it is scaled. A column has only itself.
    if scan.unseen and kind == "table":
        place = _at((0, *scan.unseen), raw).removeprefix("in row 0, ")
        raise DataError(raw.name, "every column needs a value in some row", f"none in {place}", "drop it")
    hint = "all rows are equal: there is nothing to learn"
    require(scan.varies, raw.name, "some value must differ between rows", "constant data", hint, error=DataError)


def _missing(scan: Scan, raw: Raw) -> int:
    return mixed.gaps(raw.rows, raw.mixed) if scan.missing and raw.mixed else scan.missing


def _at(place: Place, raw: Raw) -> str:
    row, *rest = place
    if raw.mixed:
        name = next(column.name for column, block in mixed.blocks(raw.mixed) if rest[0] < block.stop)
        return f"in row {row}, column '{name}'"
    if raw.columns and len(rest) == 1:
        return f"in row {row}, column '{raw.columns[rest[0]]}'"
    return f"in row {row}, " + (f"column {rest[0]}" if len(rest) == 1 else f"entry {tuple(rest)}")


def _tensor(rows: Rows) -> Tensor:
    """Share memory with `rows` where torch can: it knows neither backward strides nor the other byte order."""
    plain = rows.dtype.isnative and all(s >= 0 and s % rows.dtype.itemsize == 0 for s in rows.strides)
    rows = rows if plain else np.ascontiguousarray(rows, rows.dtype.newbyteorder("="))
    with warnings.catch_warnings():
        # torch warns of read-only arrays, for it could write to them; a dataset never does.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)
        return torch.from_numpy(rows)
