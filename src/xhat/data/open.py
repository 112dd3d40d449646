"""Open anything as a dataset."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from xhat.core.errors import DataError, MissingFileError, require
from xhat.data import builtin, readers
from xhat.data.ask import Ask, Mode, Reading
from xhat.data.column import Column
from xhat.data.dataset import Dataset
from xhat.data.layout import SEQUENCES, Asked
from xhat.data.memory import allowed, amount, steady
from xhat.data.prepare import prepare
from xhat.data.raw import Raw
from xhat.data.readers import array, frame, image_folder, npy, parquet, ragged, text, zarr
from xhat.data.readers import tiles as cut_tiles
from xhat.data.steps import Steps

# What a reader streams where it is larger than memory.
STREAMED = (".npy", ".parquet", ".pq")


def open(
    source: Any,
    *,
    key: str | None = None,
    labels: Any = None,
    kind: Asked | None = None,
    size: tuple[int, int] | None = None,
    mode: Mode | None = None,
    tiles: int | None = None,
    missing: bool = False,
    mask: Any = None,
    window: int | None = None,
    stride: int | None = None,
    length: int | None = None,
    symbols: Reading | None = None,
    vocabulary: Sequence[str] | None = None,
    columns: Sequence[Column] | None = None,
    name: str | None = None,
    memory: int | str | None = None,
    to_learn: bool = True,
) -> Dataset:
    """Open an array, a frame, a file, a folder of images or built-in data.

    Parameters
    ----------
    source : object
        An array or tensor of shape (N, ...), a list of rows, a list of sequences (T_i,) or (T_i, D) of unequal
        length, a pandas or polars frame, a path to a table (.csv, .tsv, .txt, .parquet), to arrays (.npy, .npz), to
        a text, to a folder of images, of .npy or of .parquet files that follow one another, or to a .zarr array, or
        the name of built-in data: "digits", "curves", "sprites" (a folder of such a name is opened as "./digits"). A
        `Dataset` comes back as it is.
    key : str, optional
        The array of an .npz file; else x, X, x_train, or the only one that has rows.
    labels : str or array of shape (N,), optional
        A column of a table or an array of an .npz file, or the labels themselves. They are not learned:
        they come beside the rows, as ``y``. A class of -1, a name that is None or empty, and an empty cell beside
        whole numbers mark a row without a label, for objectives that learn from few of them.
    kind : {"table", "mixed", "image", "series", "tokens", "text", "array"}, optional
        What a row is, in place of what the axes suggest: (N, D) a table, (N, H, W) of unsigned integers gray
        images and of other numbers series (N, T, D), (N, H, W, C) and (N, C, H, W) with 1, 3 or 4 channels images.
        Only asked for are tokens (N, T), whole numbers from 0 on that are symbols, and a text, a file that becomes
        tokens. A table with columns of texts, categories or booleans is mixed by itself; asked for, so is one of
        numbers alone: each column then has a distribution of its own.
    size : tuple of int, optional
        (H, W): crop images to this aspect about their centres, then resize them.
    mode : {"L", "RGB"}, optional
        Convert images to gray or colour.
    tiles : int, optional
        Cut images of any sizes into squares of so many pixels a side, at full, half and quarter size; squares without
        details are left out.
    missing : bool, default=False
        Whether NaN may stand for values that were not observed; in a text file also an empty cell, "?" or "nan", and
        among numbers words such as "NA" and "None", which among texts are names.
    mask : bool array of shape (N, T), optional
        Which steps of sequences are there; the others are padding, whatever they hold. Rows are copied for it.
    window : int, optional
        Cut one long series (T,) or (T, D) in rows of so many steps, without a copy; what is left at its end is left
        out. A text is always cut, by default in 64.
    stride : int, optional
        Steps from one window to the next; by default the window, so that they lie side by side. With less they
        overlap, those that validate with those that train as well.
    length : int, optional
        Pad sequences to so many steps; by default to those of the longest.
    symbols : {"characters", "bytes"}, optional
        As what a text is read; by default characters, of UTF-8.
    vocabulary : sequence of str, optional
        Of a fitted model, its ``schema.vocabulary``: a text is numbered by it, and no other symbol may come. By
        default a text's own characters, and of whole numbers all up to the greatest.
    columns : sequence of Column, optional
        Of a fitted model, its ``schema.mixed``: a table is read by it, its columns in any order, and no other category
        may come.
    name : str, optional
        The data's name, in place of its file's.
    memory : int or str, optional
        What the data may take, as "1GB"; by default half of what is free. Files and folders of .npy and .parquet,
        folders of images and .zarr arrays that need more are streamed: read in blocks while a model trains or encodes.
        The rows of these that validate, the sample that scaling and PCA are of and the order of an epoch follow from
        it, by default from the power of two below: say it where a run shall be the same on another machine or day.
    to_learn : bool, default=True
        Whether a model will be fitted to it: then a single row, constant data or a column of gaps is refused.

    Returns
    -------
    Dataset
        Arrays are not copied and .npy files stay on the disk, mapped or streamed. Padding is NaN, of tokens 0, and is
        neither missing nor counted in any mean or range.

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
    known = None if columns is None else tuple(columns)
    mixed = True if kind == "mixed" else None
    ask = Ask(key=key, labels=by_name, size=size, mode=mode, tiles=tiles, symbols=symbols, mixed=mixed, columns=known)
    steps = Steps(mask=mask, window=window, stride=stride, length=length, vocabulary=vocabulary)
    if memory is not None:
        ask = replace(ask, memory=allowed(memory))
    if isinstance(source, Dataset):
        given = {**vars(ask), "labels": labels, "kind": kind, "name": name, **vars(steps)}
        changes = [option for option, value in given.items() if value is not None]
        hint = "give these options where it is opened first"
        require(not changes, "open", "a Dataset is already open", ", ".join(changes), hint)
        return source
    # Windows and tokens are made of the whole: a mapped file is looked at from place to place.
    whole = any(option is not None for option in vars(steps).values()) or kind in ("tokens", "text")
    raw = _read(source, replace(ask, memory=sys.maxsize) if whole else ask, kind, steps)
    if raw.mixed and kind not in (None, "table", "mixed"):
        odd = next((column.name for column in raw.mixed if column.categories is not None), "")
        raise DataError(raw.name, f"rows of kind '{kind}' must be numbers", f"column '{odd}'", "drop it")
    raw = steps.arrange(replace(raw, name=name or raw.name), kind)
    if labels is not None and not by_name:
        raw = replace(raw, labels=array.as_numpy(labels, "labels"))
    hint = "give labels as an array, one a window"
    require(not by_name or raw.labels is not None, raw.name, "labels of steps are none of windows", hint=hint)
    kind = "tokens" if kind == "text" else "table" if kind == "mixed" else kind
    return prepare(raw, kind=kind, missing=missing, to_learn=to_learn, memory=steady(ask.memory) if raw.source else 0)


def _read(source: Any, ask: Ask, kind: Asked | None, steps: Steps) -> Raw:
    if isinstance(source, str) and source in builtin.names():
        ask.only(who=source)
        return builtin.load(source)
    if isinstance(source, str | PathLike):
        return _read_path(Path(source).expanduser(), ask, kind, steps)
    if kind in SEQUENCES and ragged.accepts(source, told=kind is not None):
        return ragged.read(source, ask)
    if ask.columns is not None and not frame.accepts(source):
        source = frame.from_array(source, ask.columns)
    return frame.read(source, ask) if frame.accepts(source) else array.read(source, ask)


def _read_path(path: Path, ask: Ask, kind: Asked | None, steps: Steps) -> Raw:
    if path.is_dir():
        if ask.tiles is not None:
            return cut_tiles.read(path, ask)
        return _read_folder(path, ask)
    if not path.exists():
        raise MissingFileError("open", f"there is no '{path}'", hint=_meant(path))
    known = readers.by_suffix()
    suffix = path.suffix.lower()
    # A text may be called anything but what says that it is something else.
    is_text = kind == "text" and (suffix == ".txt" or suffix not in known)
    hint = f"give {', '.join(sorted(known))}, or a folder of images; any text opens with kind='text' (--rows text)"
    fits = is_text or suffix in known
    require(fits, path.name, f"cannot read files that end in '{suffix}'", hint=hint, error=DataError)
    require(path.stat().st_size > 0, path.name, "the file is empty", "0 bytes", "write it again", error=DataError)
    if suffix not in STREAMED:
        _refuse_large(path, ask)
    if is_text:
        # The vocabulary of a model of bytes says that they are bytes.
        return text.read(path, ask if ask.symbols else replace(ask, symbols=steps.symbols))
    return known[suffix].read(path, ask)


def _read_folder(path: Path, ask: Ask) -> Raw:
    """Tell what a folder's files are by the endings that name a format; images are of many."""
    if path.suffix.lower() == zarr.ENDING:
        return zarr.read_folder(path, ask)
    endings = {inner.suffix.lower() for inner in path.iterdir() if inner.is_file()}
    images = endings & set(image_folder.IMAGES)
    if npy.SUFFIXES[0] in endings and not images:
        return npy.read_folder(path, ask)
    if endings & set(parquet.SUFFIXES) and not images:
        return parquet.read_folder(path, ask)
    return image_folder.read(path, ask)


def _refuse_large(path: Path, ask: Ask) -> None:
    """Refuse a file that can only be read whole, and does not fit."""
    size, most = path.stat().st_size, allowed(ask.memory)
    rule = f"does not fit into the memory that it may take, {amount(most)}, and cannot be streamed"
    hint = (
        "write its parts to a folder as .parquet (pandas.read_csv with chunksize=), or allow more by memory= (--memory)"
    )
    require(size <= most, path.name, rule, amount(size), hint, error=DataError)


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
