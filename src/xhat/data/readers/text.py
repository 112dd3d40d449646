"""Texts, as characters or bytes."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from xhat.core.errors import DataError, require
from xhat.data.ask import Ask, Reading
from xhat.data.layout import Rows
from xhat.data.raw import Raw

# Tables own the suffix .txt: a text is one by its kind.
SUFFIXES = ()


def read(path: Path, ask: Ask) -> Raw:
    """Read a file as code points (T,), or map it as bytes.

    Raises
    ------
    ConfigError
        When symbols are neither.
    DataError
        When it is not UTF-8.
    """
    ask.only("symbols", who=path.name)
    symbols, known = ask.symbols or "characters", get_args(Reading)
    require(symbols in known, "open", "symbols must be 'characters' or 'bytes'", f"'{symbols}'", "use 'characters'")
    if symbols == "bytes":
        # Copy on write: torch takes such an array without a warning, and nothing can change the file.
        rows: Rows = np.memmap(path, np.uint8, mode="c")
    else:
        try:
            # Line ends stay as they are: a copy of the text is one to the last character.
            text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            came, hint = (
                f"{error.object[error.start]:#04x} at byte {error.start}",
                "use symbols='bytes' (--symbols bytes)",
            )
            raise DataError(path.name, "a text of characters must be UTF-8", came, hint) from error
        rows = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    return Raw(rows, path.stem, kind="tokens", symbols=symbols)
