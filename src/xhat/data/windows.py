"""Windows: a long series as rows of equal length, without a copy."""

from __future__ import annotations

import numpy as np

from xhat.core.errors import ConfigError, DataError, require
from xhat.data.layout import Rows


def check_window(window: int, stride: int | None) -> None:
    """Refuse windows and strides that are none.

    Raises
    ------
    ConfigError
        When one is below 1.
    """
    require(window >= 1, "open", "window must be >= 1", window, "give the number of steps of a row")
    fits = stride is None or stride >= 1
    require(fits, "open", "stride must be >= 1", stride, "leave it out for windows side by side")


def cut(series: Rows, window: int, stride: int, who: str) -> Rows:
    """View a series (T, ...) as (n, window, ...), a window every `stride` steps; what is left at its end is left out.

    Raises
    ------
    DataError
        When it is shorter than a window.
    """
    rule = f"a window of {window} steps needs a series of as many"
    hint = "give a longer one, or a smaller window= (--window)"
    require(len(series) >= window, who, rule, len(series), hint, error=DataError)
    # numpy puts the window's axis last: (n, ..., window).
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(series, window, 0)[::stride], -1, 1)


def is_cut(rows: Rows, window: int, long: int, who: str) -> bool:
    """Tell rows that are windows already from a long series, whose arrays have at most `long` axes.

    Raises
    ------
    ConfigError
        When they are rows of another length.
    """
    if rows.ndim <= long:
        return False
    hint = "leave window= out, or give one series"
    came = f"shape {rows.shape}"
    fits = rows.ndim == long + 1 and rows.shape[1] == window
    if not fits:
        raise ConfigError(who, f"has no use for window={window}: the data has rows of its own", came, hint)
    return True
