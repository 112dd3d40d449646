"""Write rows in the format that a path's ending names; a folder takes images."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xhat.core.errors import ConfigError, require
from xhat.core.files import write_bytes
from xhat.data.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".parquet", ".csv")
SUFFIXES = (".npy", ".npz", *TABLES)
TEXT = ".txt"


def check_writable(path: str | Path, schema: Schema | None = None) -> None:
    """Refuse a path that `write` could not write to, before any work is done.

    Parameters
    ----------
    path : path
        A file with a known ending, .txt for rows that are tokens, or a folder for rows that are images.
    schema : Schema, optional
        Of the rows.

    Raises
    ------
    ConfigError
        When the ending is unknown, or the path is taken by something else.
    """
    path = Path(path)
    if path.suffix:
        tokens = schema is not None and schema.vocabulary is not None
        mixed = schema is not None and schema.mixed is not None
        known = TABLES if mixed else (*SUFFIXES, TEXT) if tokens else SUFFIXES
        fits = path.suffix.lower() in known
        require(
            fits,
            "--out",
            f"must end in {', '.join(known)}",
            f"'{path.name}'",
            "as rows.csv" if mixed else "as codes.npy",
        )
        require(not path.is_dir(), "--out", "must be a file", f"the folder '{path}'", "give another name")
    else:
        images = schema is not None and schema.kind == "image"
        hint = f"give a file that ends in {', '.join(SUFFIXES)}"
        require(images, "--out", "only images can be written to a folder", f"'{path}'", hint)
        free = not path.exists() or (path.is_dir() and not any(path.iterdir()))
        require(free, "--out", "a folder for images must be new or empty", f"'{path}'", "give another name")
    parent = next(p for p in path.absolute().parents if p.exists())
    writable = parent.is_dir() and os.access(parent, os.W_OK)
    require(writable, "--out", "must lie in a folder that can be written to", f"'{parent}'", "give another path")


def write(rows: Any, path: str | Path, *, schema: Schema | None = None, prefix: str = "x") -> None:
    """Write rows whole, or not at all.

    Parameters
    ----------
    rows : array of shape (n_rows, ...), or pandas.DataFrame
        What to write. Tables are written flat, a column an element; a frame keeps its columns and their types.
    path : path
        ``.npy``, ``.npz`` (as the array ``x``), ``.parquet``, ``.csv``; for tokens ``.txt``, as one text where rows
        are windows side by side, else a line each; or a folder, for rows that are images.
    schema : Schema, optional
        Of the rows: names a table's columns, tokens' symbols and images' range.
    prefix : str
        Of columns without names.

    Raises
    ------
    ConfigError, ArtifactError
        When the path cannot be written to.
    """
    path = Path(path)
    check_writable(path, schema)
    suffix = path.suffix.lower()
    if not suffix:
        _write_images(rows, path, schema)
        return
    file = io.BytesIO()
    if suffix == TEXT and schema is not None:
        file.write(_text(rows, schema))
    elif suffix == ".npy":
        np.save(file, rows)
    elif suffix == ".npz":
        np.savez_compressed(file, x=rows)
    else:
        _write_table(rows, file, suffix, schema, prefix)
    write_bytes(path, file.getvalue())


def _write_table(rows: Any, file: io.BytesIO, suffix: str, schema: Schema | None, prefix: str) -> None:
    frame = named(rows, schema, prefix)
    if suffix == ".csv":
        frame.to_csv(file, index=False)
    else:
        frame.to_parquet(file, index=False)


def named(rows: Any, schema: Schema | None, prefix: str) -> pd.DataFrame:
    """Give rows (N, ...) as a frame, flat and with the schema's names where it has as many; a frame as it is."""
    if hasattr(rows, "to_parquet"):
        frame: pd.DataFrame = rows
        return frame
    import pandas as pd

    flat = rows.reshape(len(rows), -1)
    named = () if schema is None else schema.columns or ()
    if len(named) != flat.shape[1]:  # a series has names for a step's variables only
        named = tuple(f"{prefix}{i}" for i in range(flat.shape[1]))
    return pd.DataFrame(flat, columns=list(named))


def _text(rows: NDArray[Any], schema: Schema) -> bytes:
    # Bytes are written as they are, whether or not they are UTF-8.
    if schema.symbols == "bytes":
        lines = [row.tobytes() for row in schema.to_source(rows)]
    else:
        lines = [line.encode() for line in schema.text(rows)]
    side_by_side = schema.stride == schema.shape[0] and schema.symbols != "numbers"
    return b"".join(lines) if side_by_side else b"".join(line + b"\n" for line in lines)


def _write_images(rows: NDArray[Any], folder: Path, schema: Schema | None) -> None:
    from PIL import Image

    if schema is None:
        raise ConfigError("write", "images need their schema, for their range", hint="pass schema=")
    low, high = (0.0, 255.0) if schema.dtype == "uint8" else (schema.low, schema.high)
    pixels = np.rint((np.clip(rows, low, high) - low) * (255 / (high - low))).astype(np.uint8)
    if schema.layout == "chw":
        pixels = np.moveaxis(pixels, 1, -1)  # (n, H, W, C)
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    digits = len(str(len(pixels) - 1))
    try:
        for i, image in enumerate(pixels):
            file = io.BytesIO()
            Image.fromarray(image).save(file, format="png")
            write_bytes(folder / f"{i:0{digits}}.png", file.getvalue())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # it was new or empty
        raise
