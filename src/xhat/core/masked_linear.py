"""A linear layer of which only the entries under a mask are there: what nets and flows of one order are made of."""

from __future__ import annotations

from jaxtyping import Bool
from torch import Tensor, nn
from torch.nn.functional import linear


class MaskedLinear(nn.Linear):
    r"""A linear layer with the entries outside a mask at zero.

    .. math:: h = (W \odot M)\, x + b, \qquad b = 0 \text{ at the start}

    Parameters
    ----------
    mask : bool Tensor of shape (n_out, n_in)
        M, a function of its owner's shapes, and not saved.
    """

    mask: Tensor

    def __init__(self, mask: Bool[Tensor, "n_out n_in"]) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        nn.init.zeros_(self.bias)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (..., n_in) to (..., n_out)."""
        return linear(x, self.weight * self.mask, self.bias)
