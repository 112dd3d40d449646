"""Sequences of unequal length in memory: lists of arrays (T_i,) or (T_i, D)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from xhat.data.ask import Ask
from xhat.data.padding import pad
from xhat.data.raw import Raw
from xhat.data.readers.array import as_numpy


def accepts(source: Any, *, told: bool) -> bool:
    """Tell sequences of unequal length from rows.

    Lists of plain numbers are taken for sequences only where the caller has `told` so: in a table, a row that is too
    short is a mistake.
    """
    if not isinstance(source, list | tuple) or not source:
        return False
    if all(isinstance(row, np.ndarray | torch.Tensor) for row in source):
        return {row.ndim for row in source} in ({1}, {2}) and len({len(row) for row in source}) > 1
    return told and all(isinstance(row, list | tuple) for row in source) and len({len(row) for row in source}) > 1


def read(source: Any, ask: Ask) -> Raw:
    """Lay sequences side by side, the shorter ones padded."""
    ask.only(who="list")
    # An empty list has no type of its own.
    sequences = [as_numpy(row if len(row) else np.zeros(0), f"row {i}") for i, row in enumerate(source)]
    rows, mask = pad(sequences, "list")
    return Raw(rows, "list", kind="series", mask=mask)
