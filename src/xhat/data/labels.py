"""Labels: numbers as they are, names as numbers of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xhat.core.errors import DataError, require


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as numbers, and the names of their classes.

    Parameters
    ----------
    y : int64 or float32 Tensor of shape (N,) or (N, K)
        A label a row.
    names : tuple of str, optional
        ``names[i]`` is the name of class i, in the alphabet's order; ``None`` where labels came as numbers.
    """

    y: Tensor
    names: tuple[str, ...] | None = None

    @classmethod
    def encode(cls, values: NDArray[Any], n: int, who: str) -> Self:
        """Read labels of `n` rows.

        Raises
        ------
        DataError
            When they do not count `n`, have gaps, or are neither numbers nor names.
        """
        rule = f"each of the {n} rows needs a label"
        count = values.shape[0] if values.ndim else 0
        require(count == n, who, rule, f"{count} labels", "give as many labels as rows", error=DataError)
        if values.dtype.kind in "OT":
            _require_complete(any(v is None or v != v for v in values.flat), who)
            values = np.array(values.tolist())  # numpy now finds the type that the objects have in common
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        match values.dtype.kind:
            case "b" | "i" | "u":
                return cls(torch.from_numpy(values.astype(np.int64)))
            case "f":
                _require_complete(bool(np.isnan(values).any()), who)
                return cls(torch.from_numpy(values.astype(np.float32)))
            case "U" if values.ndim == 1:
                names, classes = np.unique(values, return_inverse=True)
                return cls(torch.from_numpy(classes.astype(np.int64)), tuple(names.tolist()))
            case _:
                hint = "give one number or one name a row"
                came = f"{values.dtype} of shape {values.shape}"
                raise DataError(who, "labels must be numbers or names", came, hint)


def _require_complete(gap: bool, who: str) -> None:
    hint = "drop the rows without one, or give them a class of their own"
    require(not gap, who, "every row needs its label", "a missing one", hint, error=DataError)
