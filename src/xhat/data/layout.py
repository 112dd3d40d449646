"""The order of axes: how rows lie in their source, and how nets see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from xhat.core.catalogue import suggest
from xhat.core.errors import ConfigError, DataError

Kind = Literal["table", "image", "series", "tokens", "array"]

#: What a caller may ask for: a text becomes tokens, a mixed table numbers.
Asked = Kind | Literal["text", "mixed"]

#: Of those, the kinds whose rows go step by step.
SEQUENCES = (None, "series", "tokens", "text")

#: An array of any numeric type: N rows first.
Rows = NDArray[Any]

CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class Layout:
    """What rows are, and the order of their source's axes.

    Parameters
    ----------
    kind : {"table", "image", "series", "tokens", "array"}
        What a row is.
    axes : {"", "hw", "hwc", "chw", "t"}
        How the source lays a row out: an image as (H, W), (H, W, C) or (C, H, W), a series of one variable
        as (T,). Empty where source and nets agree.
    """

    kind: Kind
    axes: str = ""

    def canonical(self, rows: Rows) -> Rows:
        """View the source's rows as nets see them: images (N, C, H, W), series (N, T, D), others as they are."""
        # Views only: a file mapped into memory stays on its disk.
        match self.axes:
            case "hw":
                return rows[:, None]
            case "hwc":
                return np.moveaxis(rows, -1, 1)
            case "t":
                return rows[..., None]
            case _:
                return rows

    def source(self, rows: Rows) -> Rows:
        """Undo `canonical`."""
        match self.axes:
            case "hw":
                return rows[:, 0]
            case "hwc":
                return np.moveaxis(rows, 1, -1)
            case "t":
                return rows[..., 0]
            case _:
                return rows


def guess(rows: Rows, kind: Kind | None, who: str) -> Layout:
    """Tell what `rows` are from their axes and their type, or lay them out as the `kind` that was asked.

    Parameters
    ----------
    rows : array of shape (N, ...)
        The source's rows.
    kind : str or None
        What they are, where the caller knows.
    who : str
        The source's name, for errors.

    Raises
    ------
    ConfigError
        When there is no such kind.
    DataError
        When the rows have too few axes, or cannot be of the kind.
    """
    if kind is not None and kind not in get_args(Kind):
        raise ConfigError("open", f"there is no kind '{kind}'", hint=suggest(kind, (*get_args(Kind), "text", "mixed")))
    if rows.ndim < 2:
        hint = "reshape it: (N, 1) for rows of one number, (1, D) for one row; or cut a long series with window="
        raise DataError(who, "data must have an axis of rows and at least one more", f"shape {rows.shape}", hint)
    match kind or _usual(rows):
        case "image":
            return Layout("image", _image_axes(rows, who))
        case "series" if rows.ndim <= 3:
            return Layout("series", "t" if rows.ndim == 2 else "")
        case "tokens" if rows.ndim == 2:
            return Layout("tokens")
        case "table" if rows.ndim == 2:
            return Layout("table")
        case "array":
            return Layout("array")
        case wrong:
            axes = {"series": "a series has the shape (N, T) or (N, T, D)", "table": "a table has the shape (N, D)"}
            rule = axes.get(wrong, "tokens have the shape (N, T)")
            raise DataError(who, rule, f"shape {rows.shape}", "reshape it, or use kind='array'")


def _usual(rows: Rows) -> Kind:
    match rows.ndim:
        case 2:
            return "table"
        case 3:
            # Unsigned numbers are how cameras and scanners write; measurements over time have a sign or a fraction.
            return "image" if rows.dtype.kind == "u" else "series"
        case 4 if rows.shape[-1] in CHANNELS or rows.shape[1] in CHANNELS:
            return "image"
        case _:
            return "array"


def _image_axes(rows: Rows, who: str) -> str:
    match rows.ndim:
        case 3:
            return "hw"
        case 4 if rows.shape[-1] in CHANNELS:
            return "hwc"
        case 4 if rows.shape[1] in CHANNELS:
            return "chw"
        case 4:
            # Neither axis counts like colours do: there are fewer bands than pixels.
            return "chw" if rows.shape[1] <= rows.shape[-1] else "hwc"
        case _:
            hint = "reshape it to one of these"
            rule = "images have the shape (N, H, W), (N, H, W, C) or (N, C, H, W)"
            raise DataError(who, rule, f"shape {rows.shape}", hint)
