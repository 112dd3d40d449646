"""Clipping that fits itself: a gradient is cut only when it is much longer than gradients have been."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

MEMORY = 0.98
# Numbers that are copied sooner than each tensor is asked for its own length.
FEW = 10_000


class SpikeClip:
    r"""Cut :math:`\|g\|` to `factor` times its running mean.

    A fixed limit would need tuning to the data: a sum over 64 elements and one over 30,000 have gradients of other
    lengths. Against its own past a spike shows at any scale.

    Parameters
    ----------
    factor : float
        How many times the running mean length is too long; 0 for never.
    """

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.mean: Tensor | None = None

    def __call__(self, gradients: Sequence[Tensor], length: Tensor | None = None) -> None:
        """Cut `gradients` in place, together, as one vector, of whose `length`, (), they may be but a share."""
        if self.factor == 0 or not gradients:
            return
        length = _length(gradients) if length is None else length
        if self.mean is None:
            self.mean = length.nan_to_num(0.0, 0.0, 0.0)
        if length.device.type == "cpu":
            # Numbers at once: a dozen operations on single elements take as long as a small net's products.
            now, mean = length.item(), self.mean.item()
            if not math.isfinite(now):  # what overflowed tells nothing of lengths
                return
            most = self.factor * (mean or now)  # as below
            self.mean = torch.tensor(MEMORY * mean + (1 - MEMORY) * min(now, most))
            if now > most:
                torch._foreach_mul_(list(gradients), most / now)
            return
        # A past of nothing but zeros says nothing of spikes; a limit of 0 would hold every gradient at 0 for ever.
        limit = self.factor * torch.where(self.mean > 0, self.mean, length)
        known = torch.where(length.isfinite(), torch.minimum(length, limit), self.mean)
        self.mean = torch.lerp(known, self.mean, MEMORY)
        # No question asked of the device: it would have to be waited for.
        torch._foreach_mul_(list(gradients), (limit / (length + 1e-12)).clamp(max=1.0))


def _length(gradients: Sequence[Tensor]) -> Tensor:
    """Give the length of all gradients as one vector, ()."""
    if sum(g.numel() for g in gradients) <= FEW:
        return torch.linalg.vector_norm(torch.cat([g.reshape(-1) for g in gradients]))
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(gradients))))
