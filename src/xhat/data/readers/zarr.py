"""Zarr arrays and groups of arrays, folders whose names end in .zarr; they need the extra ``xhat[zarr]``."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from xhat.core.catalogue import suggest
from xhat.core.errors import ConfigError, DataError, require
from xhat.data.ask import Ask
from xhat.data.memory import allowed
from xhat.data.raw import Raw
from xhat.data.readers.npz import USUAL
from xhat.data.sources.zarr import ZarrRows

ENDING = ".zarr"


def read_folder(folder: Path, ask: Ask) -> Raw:
    """Read an array, or one of a group's, whole or as a stream.

    Parameters
    ----------
    folder : Path
        Of Zarr's format 2 or 3.
    ask : Ask
        ``key`` names a group's array, else it is x, X, x_train or the only one; ``labels`` names another one.

    Raises
    ------
    ConfigError
        When zarr is not installed.
    DataError
        When it is no such folder, a group has no such array, or chunks are larger than the memory allows.
    """
    if importlib.util.find_spec("zarr") is None:
        raise ConfigError(folder.name, "needs the package zarr", hint="pip install 'xhat[zarr]'")
    ask.only("key", "labels", who=folder.name)
    opened = _opened(folder)
    if hasattr(opened, "chunks"):
        hint = "leave it out, or give a group"
        require(ask.key is None and ask.labels is None, folder.name, "is one array without names", ask.key, hint)
        array, labels = opened, None
    else:
        array = _of(opened, ask.key or _usual(opened, folder), folder)
        labels = None if ask.labels is None else np.asarray(_of(opened, ask.labels, folder)[:])
    require(array.ndim > 0 and array.shape[0] > 0, folder.name, "holds no rows", array.shape, error=DataError)
    source = ZarrRows(array, folder.stem)
    memory = allowed(ask.memory)
    if max(source.nbytes, source.chunk_bytes) > memory and source.ndim > 1:
        source.check(memory)
        return Raw.streamed(source, labels=labels)
    return Raw(source[:], folder.stem, labels=labels)


def _opened(folder: Path) -> Any:
    import zarr

    try:
        return zarr.open(str(folder), mode="r")
    except (ValueError, OSError, KeyError) as error:  # a broken description is a ValueError
        raise DataError(folder.name, "cannot be read as a Zarr array", error, "write it again") from error


def _usual(group: Any, folder: Path) -> str:
    names = sorted(group.array_keys())
    usual = [name for name in USUAL if name in names] or names
    rule = f"holds no array called {' or '.join(USUAL)}, and {len(names) or 'none'} that could be meant"
    found = len(names) == 1 or usual != names
    require(found, folder.name, rule, ", ".join(names) or "nothing", "name it with key= (--key)", error=DataError)
    return usual[0]


def _of(group: Any, name: str, folder: Path) -> Any:
    names = sorted(group.array_keys())
    if name not in names:
        raise DataError(folder.name, f"has no array '{name}'", hint=suggest(name, names))
    return group[name]
