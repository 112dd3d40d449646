"""Files of one array: .npy, mapped into memory rather than read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from xhat.core.errors import DataError
from xhat.data.ask import Ask
from xhat.data.raw import Raw

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
    return Raw(rows, path.stem)
