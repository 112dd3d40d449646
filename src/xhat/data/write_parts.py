"""Write rows as they come, where all of them would not fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from xhat.core.errors import require
from xhat.core.files import writing
from xhat.data.schema import Schema
from xhat.data.write import check_writable, named

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".npy", ".parquet", ".csv")

# Bytes of a row group: few enough to be read at random, enough to be packed well.
GROUP = 8 << 20


def check_parts(path: str | Path, schema: Schema | None = None) -> None:
    """Refuse a path that `write_parts` could not write to, before any work is done.

    Raises
    ------
    ConfigError
        When its ending is of no format that is written part by part, or the path is taken by something else.
    """
    path = Path(path)
    rule, hint = f"rows that are streamed must be written to {', '.join(SUFFIXES)}", "as codes.npy"
    require(path.suffix.lower() in SUFFIXES, "--out", rule, f"'{path.name}'", hint)
    check_writable(path, schema)


def write_parts(
    parts: Iterable[Any], path: str | Path, *, rows: int, schema: Schema | None = None, prefix: str = "x"
) -> None:
    """Write rows part by part, whole at the end or not at all.

    Parameters
    ----------
    parts : iterable of array of shape (n_rows, ...), or of pandas.DataFrame
        What to write, at least one.
    path : path
        ``.npy``, ``.parquet`` (row groups of 8 MB) or ``.csv``.
    rows : int
        How many rows all parts have.
    schema, prefix
        As `xhat.data.write.write` takes them.

    Raises
    ------
    ConfigError, ArtifactError
        When the path cannot be written to.
    """
    path = Path(path)
    check_parts(path, schema)
    suffix = path.suffix.lower()
    with writing(path) as file:
        if suffix == ".npy":
            _write_npy(parts, file, rows)
        else:
            frames = (named(part, schema, prefix) for part in parts)
            (_write_csv if suffix == ".csv" else _write_parquet)(frames, file)


def _write_npy(parts: Iterable[Any], file: BinaryIO, rows: int) -> None:
    written = 0
    for part in parts:
        part = np.ascontiguousarray(part)
        if not written:
            np.lib.format.write_array_header_1_0(file, _header(part, rows))
        file.write(part.data)
        written += len(part)
    assert written == rows, (written, rows)


def _header(part: np.ndarray[Any, Any], rows: int) -> dict[str, Any]:
    return {"descr": np.lib.format.dtype_to_descr(part.dtype), "fortran_order": False, "shape": (rows, *part.shape[1:])}


def _write_csv(frames: Iterable[pd.DataFrame], file: BinaryIO) -> None:
    for number, frame in enumerate(frames):
        file.write(frame.to_csv(index=False, header=number == 0).encode())


def _write_parquet(frames: Iterable[pd.DataFrame], file: BinaryIO) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    writer = None
    try:
        for frame in _groups(frames):
            table = pa.Table.from_pandas(frame, None if writer is None else writer.schema, preserve_index=False)
            if writer is None:
                writer = ParquetWriter(file, table.schema)
            writer.write_table(table, row_group_size=len(frame))
    finally:
        if writer is not None:
            writer.close()


def _groups(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Join frames until they are as large as a row group."""
    import pandas as pd

    held: list[pd.DataFrame] = []
    size = 0
    for frame in frames:
        held.append(frame)
        size += int(frame.memory_usage(index=False).sum())
        if size >= GROUP:
            yield pd.concat(held, ignore_index=True)
            held, size = [], 0
    if held:
        yield pd.concat(held, ignore_index=True)
