"""The classes that a batch's rows are known to be of."""

from __future__ import annotations

import torch
from jaxtyping import Int64
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import ConfigError, require


def known_classes(batch: Batch, classes: int, who: str) -> Int64[Tensor, "B"]:
    """Give each row's class, below `classes`; -1 where there is none, as of any label below 0."""
    y = batch.y
    if y is None:
        return torch.full((len(batch),), -1, device=batch.x.device)
    if y.ndim != 1 or y.is_floating_point():
        raise ConfigError(who, "labels must be classes", f"{y.dtype} of shape {tuple(y.shape)}", "-1 for none")
    highest = int(y.max())
    require(highest < classes, who, f"labels must be below {classes}, the number of classes", highest, "-1 for none")
    return y.long().clamp(min=-1)
