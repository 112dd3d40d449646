"""Open anything as a dataset."""

from __future__ import annotations

import difflib
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from xhat.core.errors import DataError, MissingFileError, require
from xhat.data import builtin, readers
from xhat.data.ask import Ask, Mode
from xhat.data.dataset import Dataset
from xhat.data.layout import Kind
from xhat.data.prepare import prepare
from xhat.data.raw import Raw
from xhat.data.readers import array, frame, image_folder


def open(
    source: Any,
    *,
    key: str | None = None,
    labels: Any = None,
    kind: Kind | None = None,
    size: tuple[int, int] | None = None,
    mode: Mode | None = None,
    missing: bool = False,
    name: str | None = None,
    to_learn: bool = True,
) -> Dataset:
    """Open an array, a frame, a file, a folder of images or built-in data.

    Parameters
    ----------
    source : object
        An array or tensor of shape (N, ...), a list of rows, a pandas or polars frame, a path to a table
        (.csv, .tsv, .txt, .parquet), to arrays (.npy, .npz) or to a folder of images, or the name of built-in
        data: "digits", "curves", "sprites" (a folder of such a name is opened as "./digits"). A `Dataset`
        comes back as it is.
    key : str, optional
        The array of an .npz file; else x, X, x_train, or the only one that has rows.
    labels : str or array of shape (N,), optional
        A column of a table or an array of an .npz file, or the labels themselves. They are not learned:
        they come beside the rows, as ``y``.
    kind : {"table", "image", "series", "array"}, optional
        What a row is, in place of what the axes suggest: (N, D) a table, (N, H, W) of unsigned integers gray
        images and of other numbers series (N, T, D), (N, H, W, C) and (N, C, H, W) with 1, 3 or 4 channels images.
    size : tuple of int, optional
        (H, W): crop images to this aspect about their centres, then resize them.
    mode : {"L", "RGB"}, optional
        Convert images to gray or colour.
    missing : bool, default=False
        Whether NaN (in a text file also an empty cell or "?") may stand for values that were not observed.
    name : str, optional
        The data's name, in place of its file's.
    to_learn : bool, default=True
        Whether a model will be fitted to it: then a single row, constant data or a column of gaps is refused.

    Returns
    -------
    Dataset
        Arrays are not copied and .npy files stay on the disk, mapped.

    Raises
    ------
    MissingFileError
        When nothing lies at the path.
    DataError
        When the data cannot be read or cannot be learned from as it is.
    ConfigError
        When an option does not fit the source.
    """
    by_name = labels if isinstance(labels, str) else None
    ask = Ask(key=key, labels=by_name, size=size, mode=mode)
    if isinstance(source, Dataset):
        given = {"key": key, "labels": labels, "kind": kind, "size": size, "mode": mode, "name": name}
        changes = [option for option, value in given.items() if value is not None]
        hint = "give these options where it is opened first"
        require(not changes, "open", "a Dataset is already open", ", ".join(changes), hint)
        return source
    raw = _read(source, ask)
    if labels is not None and not by_name:
        raw = replace(raw, labels=array.as_numpy(labels, "labels"))
    return prepare(replace(raw, name=name or raw.name), kind=kind, missing=missing, to_learn=to_learn)


def _read(source: Any, ask: Ask) -> Raw:
    if isinstance(source, str) and source in builtin.names():
        ask.only(who=source)
        return builtin.load(source)
    if isinstance(source, str | PathLike):
        return _read_path(Path(source).expanduser(), ask)
    return frame.read(source, ask) if frame.accepts(source) else array.read(source, ask)


def _read_path(path: Path, ask: Ask) -> Raw:
    if path.is_dir():
        return image_folder.read(path, ask)
    if not path.exists():
        raise MissingFileError("open", f"there is no '{path}'", hint=_meant(path))
    known = readers.by_suffix()
    suffix = path.suffix.lower()
    hint = f"give {', '.join(sorted(known))}, or a folder of images"
    require(suffix in known, path.name, f"cannot read files that end in '{suffix}'", hint=hint, error=DataError)
    require(path.stat().st_size > 0, path.name, "the file is empty", "0 bytes", "write it again", error=DataError)
    return known[suffix].read(path, ask)


def _meant(path: Path) -> str:
    if path.parent == Path() and not path.suffix:
        word = difflib.get_close_matches(path.name, builtin.names(), n=1)
        if word:
            return f"did you mean '{word[0]}'?"
    if not path.parent.is_dir():
        return f"there is no folder '{path.parent}' either"
    near = difflib.get_close_matches(path.name, [other.name for other in path.parent.iterdir()], n=1)
    if near:
        return f"did you mean '{path.with_name(near[0])}'?"
    return f"look into '{path.parent}', or use built-in data: {', '.join(builtin.names())}"
