"""Elements hidden at random: set to a constant that says nothing."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from xhat.core.corruption import Corruption
from xhat.core.errors import require


class Masking(Corruption):
    """Each element is replaced by `value` with probability `share`.

    Parameters
    ----------
    share : float, default=0.25
        Probability of hiding an element. Must lie in [0, 1].
    value : float, default=0.0
        What a hidden element becomes, in the scaled data's units.

    References
    ----------
    Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008.
    """

    hides = True

    def __init__(self, share: float = 0.25, value: float = 0.0) -> None:
        super().__init__()
        require(0 <= share <= 1, "corruptions/masking", "share must lie in [0, 1]", share, "0.25 hides a quarter")
        self.share, self.value = share, value

    def forward(self, x: Tensor) -> Tensor:
        """Hide elements of rows x (B, *X)."""
        return torch.where(self.visible(x), x, self.value)

    def visible(self, x: Tensor) -> Tensor:
        """Draw where rows x (B, *X) stay visible."""
        return torch.rand_like(x, dtype=torch.float32) >= self.share

    @classmethod
    def example(cls) -> Self:
        """Hide half."""
        return cls(0.5)
