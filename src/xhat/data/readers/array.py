"""Arrays in memory: numpy, torch, lists of rows, and whatever numpy can read."""

from __future__ import annotations

from mmap import mmap
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from xhat.core.errors import DataError
from xhat.data.ask import Ask
from xhat.data.memory import allowed
from xhat.data.raw import Raw
from xhat.data.sources.npy import NpyRows


def read(source: Any, ask: Ask) -> Raw:
    """Take an array as it lies in memory."""
    ask.only(who="array")
    # A whole file as it is there: of a part the place in the file is not known, and a copy on write may differ from it.
    whole = (
        isinstance(source, np.memmap) and isinstance(getattr(source, "base", None), mmap) and source.mode in ("r", "r+")
    )
    if whole and source.ndim > 1 and source.nbytes > allowed(ask.memory) and source.dtype.kind in "biuf":
        return Raw.streamed(NpyRows([source], "array"))
    return Raw(as_numpy(source, "array"), "array")


def as_numpy(source: Any, who: str) -> NDArray[Any]:
    """View `source` as a numpy array; tensors come from any device, without their gradients.

    Raises
    ------
    DataError
        When it is no array of numbers or texts.
    """
    if isinstance(source, torch.Tensor):
        return _from_torch(source)
    if isinstance(source, np.ma.MaskedArray) and np.ma.is_masked(source):
        # numpy would drop the mask and let what lies beneath it pass for data.
        return np.where(np.ma.getmaskarray(source), np.nan, np.ma.getdata(source))
    if hasattr(source, "toarray"):
        raise DataError(who, "data must be dense", type(source).__name__, "use its .toarray()")
    try:
        values = np.asarray(source)
    except (ValueError, TypeError) as error:
        hint = "rows must all have the same shape; sequences of unequal length need kind='series'"
        raise DataError(who, "cannot be read as an array", f"{type(source).__name__} ({error})", hint) from error
    if values.ndim == 0:
        hint = "give an array, a frame, a path, a folder of images, or the name of built-in data"
        raise DataError(who, "data must have rows", type(source).__name__, hint)
    return values


def _from_torch(tensor: torch.Tensor) -> NDArray[Any]:
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_floating_point() and tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()  # numpy has no bfloat16, nor the 8-bit ones
    values: NDArray[Any] = tensor.numpy()
    return values
