"""Salt and pepper: elements at random set to the lowest or the highest value."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from xhat.core.corruption import Corruption
from xhat.core.errors import require

WHO = "corruptions/salt_and_pepper"


class SaltAndPepper(Corruption):
    r"""Each element is spoiled with probability `share`, and then becomes `low` or `high` with half the chance each.

    .. math:: P(\tilde x_i = x_i) = 1 - s, \qquad P(\tilde x_i = l) = P(\tilde x_i = h) = s / 2

    Unlike hidden elements, spoiled ones do not show: the net has to find them as well.

    Parameters
    ----------
    share : float, default=0.25
        s. Must lie in [0, 1].
    low, high : float, default=0.0 and 1.0
        l and h, in the scaled data's units; 0 and 1 are black and white of images.

    References
    ----------
    Vincent et al., "Stacked Denoising Autoencoders", JMLR 2010, section 4.3.
    """

    def __init__(self, share: float = 0.25, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__()
        require(0 <= share <= 1, WHO, "share must lie in [0, 1]", share, "0.25 spoils a quarter")
        require(low < high, WHO, "low must be < high", f"{low:g} and {high:g}", "use the ends of the data's range")
        self.share, self.low, self.high = share, low, high

    def forward(self, x: Tensor) -> Tensor:
        """Spoil elements of rows x (B, *X)."""
        # One draw says both whether and which: below s/2 pepper, from there to s salt. Not of x's own type, whose
        # steps may be too coarse for a small share.
        drawn = torch.rand_like(x, dtype=torch.float32)
        grain = torch.where(drawn < 0.5 * self.share, self.low, self.high).to(x.dtype)
        return torch.where(drawn < self.share, grain, x)

    @classmethod
    def example(cls) -> Self:
        """Spoil half."""
        return cls(0.5)
