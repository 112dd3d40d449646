"""Padding: sequences of unequal length side by side, with a mask of the steps that are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xhat.core.errors import ConfigError, DataError, ShapeError, require
from xhat.data.layout import Rows

Mask = NDArray[np.bool_]


def check_lengths(lengths: Sequence[int], who: str) -> None:
    """Refuse sequences without a step.

    Raises
    ------
    DataError
        When there is one; its number is named.
    """
    empty = [i for i, length in enumerate(lengths) if length == 0]
    hint = "drop it: there is nothing to copy"
    came = f"none in row {empty[0]}" if empty else None
    require(not empty, who, "every sequence needs a step", came, hint, error=DataError)


def pad(sequences: Sequence[Rows], who: str) -> tuple[Rows, Mask]:
    """Lay N sequences (T_i, …) side by side, each at its row's begin and followed by zeros.

    Returns
    -------
    rows : array of shape (N, T, ...)
        T is the greatest length.
    mask : bool array of shape (N, T)
        True on the steps of the sequences.

    Raises
    ------
    DataError
        When one has no step, or not as many variables as the first.
    """
    lengths = [len(sequence) for sequence in sequences]
    check_lengths(lengths, who)
    step = sequences[0].shape[1:]
    for i, sequence in enumerate(sequences):
        rule, hint = f"every step of every sequence must be of shape {step}", "give the same variables in each"
        fits = sequence.shape[1:] == step
        require(fits, who, rule, f"{sequence.shape[1:]} in row {i}", hint, error=DataError)
    rows = np.zeros((len(sequences), max(lengths), *step), np.result_type(*sequences))
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]  # (N, T)
    for row, sequence in zip(rows, sequences, strict=True):
        row[: len(sequence)] = sequence
    return rows, mask


def extend(rows: Rows, mask: Mask | None, length: int, who: str) -> tuple[Rows, Mask | None]:
    """Pad rows (N, T, ...) to `length` steps; of full length already, they come as they are.

    Raises
    ------
    ConfigError, DataError
        When the length is below 1, or that of the rows is greater.
    """
    require(length >= 1, "open", "length must be >= 1", length, "leave it out for that of the longest")
    steps = rows.shape[1]
    require(steps <= length, who, f"sequences must have at most {length} steps", steps, "cut them", error=DataError)
    if steps == length:
        return rows, mask
    check_lengths([steps], who)
    beyond = length - steps
    mask = np.ones(rows.shape[:2], bool) if mask is None else mask
    return np.pad(rows, [(0, 0), (0, beyond)] + [(0, 0)] * (rows.ndim - 2)), np.pad(mask, [(0, 0), (0, beyond)])


def checked(mask: NDArray[Any], rows: Rows, who: str) -> Mask:
    """Read a mask of the steps of rows (N, T, ...).

    Raises
    ------
    ShapeError, ConfigError, DataError
        When it is of another shape, holds anything but true and false, or leaves a row without a step.
    """
    hint = "make it True where a step counts"
    fits = mask.shape == rows.shape[:2]
    rule = f"the mask of rows {rows.shape} must be of shape {rows.shape[:2]}"
    require(fits, who, rule, mask.shape, hint, error=ShapeError)
    if mask.dtype.kind not in "biu" or (mask.dtype != bool and not np.isin(mask, (0, 1)).all()):
        raise ConfigError(who, "a mask holds true and false, or 1 and 0", f"{mask.dtype}", hint)
    mask = mask.astype(bool)
    check_lengths(mask.sum(1).tolist(), who)
    return mask


def blank(rows: Rows, mask: Mask, *, nan: bool) -> Rows:
    """Copy rows with NaN, and as floats, or else with 0 where no step is.

    Whatever passes over gaps then passes over padding too.
    """
    # Whole numbers of 32 bits and more need float64 to stay exact.
    float_type = rows.dtype if rows.dtype.kind == "f" else np.float32 if rows.dtype.itemsize < 4 else np.float64
    blanked = rows.astype(float_type if nan else rows.dtype)
    blanked[~mask] = np.nan if nan else 0
    return blanked
