"""Options that several commands share, as records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from xhat.core.errors import ConfigError

if TYPE_CHECKING:
    from xhat.data.dataset import Dataset
    from xhat.models.fitted import Fitted


# A flag that is off unless it is given, with no --no-… beside it.
Switch = Annotated[bool, Parameter(negative=(), show_default=False)]
# As `xhat.engine.precision` has it, which imports torch.
Precision = Literal["auto", "32", "bf16", "16"]


@Parameter(name="*")
@dataclass(frozen=True)
class DataOptions:
    """How to open the data.

    Parameters
    ----------
    key
        The array of an .npz file. [default: x, X or x_train]
    labels
        A table's column, or an array of an .npz file, that is not learned but shown beside the codes.
    rows
        What a row is, where its axes could mean more than one thing.
    size
        Crop and resize images to HEIGHTxWIDTH, as 64x64.
    mode
        Convert images to gray (L) or colour (RGB).
    tiles
        Cut images of any sizes into squares of so many pixels a side.
    missing
        Allow missing values (NaN, or an empty cell).
    window
        Cut a long series in rows of so many steps. [default: 64 characters of a text]
    stride
        Steps from one window to the next. [default: the window]
    symbols
        Read a text as characters or as bytes. [default: characters]
    memory
        What the data may take, as 1GB; what needs more is streamed from the disk. [default: half of what is free]
    """

    key: str | None = None
    labels: str | None = None
    rows: Literal["table", "mixed", "image", "series", "tokens", "text", "array"] | None = None
    size: str | None = None
    mode: Literal["L", "RGB"] | None = None
    tiles: int | None = None
    missing: Switch = False
    window: int | None = None
    stride: int | None = None
    symbols: Literal["characters", "bytes"] | None = None
    memory: str | None = None

    def as_arguments(self) -> dict[str, Any]:
        """Give what `xhat.data.open` takes, without what was not asked for."""
        asked = {
            "key": self.key,
            "labels": self.labels,
            "kind": self.rows,
            "size": None if self.size is None else _pixels(self.size),
            "mode": self.mode,
            "tiles": self.tiles,
            "missing": self.missing or None,
            "window": self.window,
            "stride": self.stride,
            "symbols": self.symbols,
            "memory": self.memory,
        }
        return {name: value for name, value in asked.items() if value is not None}


def open_for(model: Fitted, data: str, options: DataOptions) -> Dataset:
    """Open data that a fitted model shall read."""
    from xhat.data.open import open as open_data

    arguments = model.schema.opening() | options.as_arguments()
    return open_data(data, **arguments, to_learn=False)


def load_model(path: Path, device: str, precision: str = "32") -> Fitted:
    """Load a run onto a device, to compute there at a precision."""
    from xhat.engine.device import pick_device
    from xhat.engine.precision import resolved
    from xhat.models.artifact import load

    fitted = load(path, device=pick_device(device))
    fitted.precision = resolved([fitted.model.encoder, fitted.model.decoder], precision)
    return fitted


def _pixels(size: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", size)
    if match is None:
        raise ConfigError("--size", "must be HEIGHTxWIDTH in pixels", f"'{size}'", "as 64x64")
    height = int(match[1])
    return height, int(match[2] or height)
