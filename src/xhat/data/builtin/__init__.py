"""Data that needs no file: each is a module here, found by its name, with a function `read`."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

from xhat.data.raw import Raw


@cache
def names() -> tuple[str, ...]:
    """Name the built-in data; nothing is imported."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__"))


def load(name: str) -> Raw:
    """Make built-in data; `name` is one of `names`."""
    raw: Raw = importlib.import_module(f"{__name__}.{name}").read()
    return raw
