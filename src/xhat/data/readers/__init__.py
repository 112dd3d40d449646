"""Readers: a format of files is a module here, with the suffixes it reads and a function `read`."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Protocol, cast

from xhat.data.ask import Ask
from xhat.data.raw import Raw


class Reader(Protocol):
    """What a module that reads files must hold."""

    SUFFIXES: tuple[str, ...]

    def read(self, path: Path, ask: Ask, /) -> Raw:
        """Read an existing file that is not empty."""


@cache
def by_suffix() -> dict[str, Reader]:
    """Find each suffix's reader, as ``{".npy": npy}``."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    # Readers of what is no file, as of frames, have no suffixes.
    return {suffix: cast(Reader, module) for module in modules for suffix in getattr(module, "SUFFIXES", ())}
