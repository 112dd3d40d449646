"""Labels: numbers as they are, names as numbers of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xhat.core.errors import DataError, require

# As in scikit-learn's semi-supervised estimators.
NONE = -1


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as numbers, and the names of their classes.

    Parameters
    ----------
    y : int64 or float32 Tensor of shape (N,) or (N, K)
        A label a row; of classes -1 where there is none.
    names : tuple of str, optional
        ``names[i]`` is the name of class i, in the alphabet's order; ``None`` where labels came as numbers.
    """

    y: Tensor
    names: tuple[str, ...] | None = None

    @classmethod
    def encode(cls, values: NDArray[Any], n: int, who: str) -> Self:
        """Read labels of `n` rows.

        Classes may be missing: None, NaN and an empty text become -1, which is what whole numbers say themselves.
        Beside such gaps whole numbers of a float type are classes, for an array of numbers with NaN has no other type.

        Raises
        ------
        DataError
            When they do not count `n`, are neither numbers nor names, or are measured values with gaps.
        """
        rule = f"each of the {n} rows needs a label"
        count = values.shape[0] if values.ndim else 0
        hint = "give as many labels as rows; -1 stands for none"
        require(count == n, who, rule, f"{count} labels", hint, error=DataError)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        gaps = _gaps(values)
        if values.ndim > 1:
            _require_complete(bool(gaps.any()), who)
            gaps = np.zeros(n, bool)
        require(not gaps.all(), who, "some row needs a label", "none", "leave labels out", error=DataError)
        known = values[~gaps]
        if known.dtype.kind in "OT":
            known = np.array(known.tolist())  # numpy now finds the type that the objects have in common
        names = None
        match known.dtype.kind:
            case "b" | "i" | "u":
                known = known.astype(np.int64)
            case "f":
                whole = gaps.any() and bool((known == np.rint(known)).all())
                _require_complete(bool(gaps.any()) and not whole, who)
                known = known.astype(np.int64 if whole else np.float32)
            case "U" if values.ndim == 1:
                found, known = np.unique(known, return_inverse=True)
                names = tuple(found.tolist())
            case _:
                came = f"{known.dtype} of shape {values.shape}"
                raise DataError(who, "labels must be numbers or names", came, "give one number or one name a row")
        y = np.full((n, *known.shape[1:]), NONE, known.dtype)
        y[~gaps] = known
        return cls(torch.from_numpy(y), names)

    @staticmethod
    def renumbered(y: Tensor, names: tuple[str, ...], model: tuple[str, ...], who: str) -> Tensor:
        """Number classes of other data as a model's own: each by its name.

        Raises
        ------
        DataError
            When the model has no class of a name.
        """
        unknown = [name for name in names if name not in model]
        hint = f"use {', '.join(model[:20])}"
        require(not unknown, who, "the model knows no class of that name", ", ".join(unknown), hint, error=DataError)
        numbers = torch.tensor([model.index(name) for name in names] + [NONE])
        return numbers[y]  # -1 finds the last one


def _gaps(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Find what stands for no label, of the values' shape."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind in "OTU":
        return np.array([_is_gap(v) for v in values.ravel().tolist()], bool).reshape(values.shape)
    return np.zeros(values.shape, bool)


def _is_gap(value: Any) -> bool:
    try:
        return value is None or bool(value == "") or bool(value != value)
    except TypeError:  # pandas' own gap is neither equal to itself nor not
        return True
    except ValueError:  # an array
        return False


def _require_complete(gap: bool, who: str) -> None:
    hint = "drop the rows without one; where labels are classes, as names or whole numbers, -1 stands for none"
    require(not gap, who, "every row needs its label", "a missing one", hint, error=DataError)
