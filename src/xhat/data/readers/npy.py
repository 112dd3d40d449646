"""Files of one array: .npy, mapped into memory rather than read, or streamed where they are larger than it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from xhat.core.errors import DataError
from xhat.data.ask import Ask
from xhat.data.memory import allowed
from xhat.data.raw import Raw
from xhat.data.sources.npy import NpyRows, mapped

SUFFIXES = (".npy",)


def read(path: Path, ask: Ask) -> Raw:
    """Map the file: rows are read from the disk when they are asked for.

    Raises
    ------
    DataError
        When it holds Python objects or is no such file.
    """
    ask.only(who=path.name)
    try:
        # Copy on write: torch takes such an array without a warning, and nothing can change the file.
        rows = np.load(path, mmap_mode="c", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        hint = "save an array of numbers with numpy.save"
        raise DataError(path.name, "cannot be read as an .npy file", error, hint) from error
    # A series of one axis is cut in windows, which are views.
    if rows.nbytes > allowed(ask.memory) and rows.ndim > 1 and rows.dtype.kind in "biuf":
        return Raw.streamed(NpyRows([mapped(path)], path.stem))
    return Raw(rows, path.stem)


def read_folder(folder: Path, ask: Ask) -> Raw:
    """Read a folder's .npy files one after the other, in the order of their names.

    Raises
    ------
    DataError
        When one is broken, or unlike the first.
    """
    folder = folder.resolve()
    ask.only(who=folder.name)
    source = NpyRows([mapped(path) for path in sorted(folder.glob("*.npy"))], folder.name)
    if source.nbytes > allowed(ask.memory):
        return Raw.streamed(source)
    return Raw(source[:], folder.name)
