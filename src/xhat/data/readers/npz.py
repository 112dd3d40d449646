"""Archives of named arrays: .npz."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from xhat.core.catalogue import suggest
from xhat.core.errors import DataError
from xhat.data.ask import Ask
from xhat.data.raw import Raw

SUFFIXES = (".npz",)

USUAL = ("x", "X", "x_train")

BROKEN = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error)


def read(path: Path, ask: Ask) -> Raw:
    """Read the array that was asked for or is the only likely one, and the labels that go with it.

    Raises
    ------
    DataError
        When the file is no archive, when the array is not there, or when several could be meant.
    """
    ask.only("key", "labels", who=path.name)
    # Opened here, for numpy leaves its own file open when it finds no archive in it.
    with path.open("rb") as file:
        archive = _archive(file, path)
        key = ask.key or next((name for name in USUAL if name in archive.files), None) or _only(archive, path)
        rows = _array(archive, key, path)
        labels = _array(archive, ask.labels, path) if ask.labels else _labels(archive, key, rows, path)
        return Raw(rows, path.stem, labels=labels)


def _archive(file: BinaryIO, path: Path) -> NpzFile:
    try:
        archive = np.load(file, allow_pickle=False)
    except BROKEN as error:
        raise DataError(path.name, "cannot be read as an .npz file", error, "save it with numpy.savez") from error
    if not isinstance(archive, NpzFile):
        raise DataError(path.name, "is no archive but a single array", hint="rename it to .npy")
    return archive


def _array(archive: NpzFile, name: str, path: Path) -> NDArray[Any]:
    if name not in archive.files:
        raise DataError(path.name, f"has no array '{name}'", hint=suggest(name, archive.files))
    try:
        array: NDArray[Any] = archive[name]
    except BROKEN as error:
        # numpy refuses objects here, which could run code when they are unpickled.
        raise DataError(path.name, f"array '{name}' cannot be read", error, "save it as numbers") from error
    return array


def _only(archive: NpzFile, path: Path) -> str:
    shapes = {name: np.shape(_array(archive, name, path)) for name in archive.files}
    likely = [name for name, shape in shapes.items() if len(shape) >= 2]
    if len(likely) == 1:
        return likely[0]
    held = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "nothing"
    rule = f"holds no array called {' or '.join(USUAL)}, and {len(likely) or 'none'} that could be meant"
    raise DataError(path.name, rule, held, "name it with key= (--key)")


def _labels(archive: NpzFile, key: str, rows: NDArray[Any], path: Path) -> NDArray[Any] | None:
    """Find labels of the array called `key`: y_test of x_test, else y, if there is one a row."""
    if key[:1] not in ("x", "X"):
        return None
    for name in dict.fromkeys(letter + rest for rest in (key[1:], "") for letter in "yY"):
        if name in archive.files:
            labels = _array(archive, name, path)
            if labels.shape[:1] == rows.shape[:1]:
                return labels
    return None
