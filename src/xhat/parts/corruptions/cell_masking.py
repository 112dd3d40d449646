"""Cells of a mixed table hidden at random: of a category all elements at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from xhat.core.corruption import Corruption
from xhat.core.errors import ShapeError, require

WHO = "corruptions/cell_masking"


class CellMasking(Corruption):
    r"""Each cell is hidden with probability `share`: all its elements become `value`.

    .. math:: \tilde x_{c} = m_c\, x_{c} + (1 - m_c)\, v, \qquad m_c \sim \mathrm{Bernoulli}(1 - s)

    with x_c the elements of column c. Of a category whose elements were hidden one by one, those that are left would
    mostly tell it. A hidden cell looks like a missing one: a number of the mean, and none of the categories.

    Parameters
    ----------
    widths : sequence of int
        How many elements each column of the table takes: 1 for a number, as many as there are for categories.
    share : float, default=0.25
        s. Must lie in [0, 1].
    value : float, default=0.0
        v, in the scaled data's units.

    References
    ----------
    Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008.
    """

    hides = True

    def __init__(self, widths: Sequence[int], share: float = 0.25, *, value: float = 0.0) -> None:
        super().__init__()
        widths = tuple(widths)
        fits = bool(widths) and min(widths) >= 1
        require(fits, WHO, "widths must be >= 1, one a column", widths, "as (1, 3) for a number and three categories")
        require(0 <= share <= 1, WHO, "share must lie in [0, 1]", share, "0.25 hides a quarter")
        self.widths, self.share, self.value = widths, share, value
        self.x_shape = (sum(widths),)

    def forward(self, x: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Hide cells of rows x."""
        return torch.where(self.visible(x), x, self.value)

    def visible(self, x: Tensor) -> Bool[Tensor, "B D"]:
        """Draw where rows x (B, D) stay visible."""
        rule = f"these columns make rows of {self.x_shape}"
        hint = "use corruptions/masking, which takes any shape"
        came = tuple(x.shape[1:])
        require(came == self.x_shape, WHO, rule, came, hint, error=ShapeError)
        seen = torch.rand(len(x), len(self.widths), device=x.device) >= self.share  # (B, C)
        return seen.repeat_interleave(torch.tensor(self.widths, device=x.device), 1)

    @classmethod
    def example(cls) -> Self:
        """Hide half of a number's cells and of a choice of three's."""
        return cls((1, 3), 0.5)
