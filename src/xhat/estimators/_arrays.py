"""Arrays of other libraries, as scikit-learn's array-API dispatch knows them: tensors in, tensors out."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils._array_api import get_namespace_and_device, move_to

from xhat.estimators._told import Rows


def as_numpy(array: Any) -> Rows:
    """Give a checked array in numpy, from wherever it lies."""
    rows: Rows = array if isinstance(array, np.ndarray) else move_to(array, xp=np, device="cpu")
    return rows


def like(values: Rows, given: Any) -> Any:
    """Give values in the namespace and on the device of what was given; numpy's, unless dispatch is on."""
    namespace, dispatched, device = get_namespace_and_device(given)
    return move_to(values, xp=namespace, device=device) if dispatched else values
