"""Nested dropout: the code's dimensions are ordered, and any prefix of a code is a code."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.bottleneck import Bottleneck
from xhat.core.code import Code
from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape


class Ordered(Bottleneck):
    r"""In training each row keeps the first b dimensions of its code.

    .. math:: z = (h_1, …, h_b, 0, …, 0), \qquad p(b) \propto \rho^b, \quad b = 1 … K

    In evaluation z = h. Any objective is then averaged over the lengths of prefixes, so that a dimension can count on
    those before it alone: with linear nets and the squared error they are PCA's axes, each by itself and in order.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code; of a spatial code the channels are ordered, together for all places.
    rate : float, default=1.0
        ρ, in (0, 1]. 1 draws every length alike. Below it short prefixes count more and the last dimensions learn
        slowly, for they are drawn with probability about :math:`\rho^K`.

    References
    ----------
    Rippel, Gelbart and Adams, "Learning Ordered Representations with Nested Dropout", ICML 2014; theorem 3.3 for
    PCA.
    """

    ends: Tensor

    def __init__(self, code_shape: Shape, rate: float = 1.0) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "Ordered")
        require(0 < rate <= 1, "Ordered", "rate must be in (0, 1]", rate, "use 1 for prefixes of every length alike")
        self.rate = rate
        # p(b < k) of k = 2 … K; made once in double, kept in single, for not every device has doubles.
        self.register_buffer("ends", self.probabilities.cumsum(0)[:-1].float(), persistent=False)  # (K-1,)

    @property
    def probabilities(self) -> Float[Tensor, "K"]:
        """p(b) of the lengths 1 to K."""
        powers = self.rate ** torch.arange(self.code_shape[0], dtype=torch.float64)
        return powers / powers.sum()

    def forward(self, h: Float[Tensor, "B *Z"]) -> Code:
        """Cut each row's code in training, and keep it whole in evaluation."""
        if not self.training:
            return Code(h)
        drawn = torch.rand(len(h), device=h.device).to(self.ends)  # (B,)
        return Code(self.truncated(h, 1 + torch.searchsorted(self.ends, drawn, right=True)))

    @staticmethod
    def truncated(z: Float[Tensor, "B *Z"], k: int | Tensor) -> Float[Tensor, "B *Z"]:
        """Put zero after the first `k` dimensions.

        Parameters
        ----------
        z : Tensor of shape (B, *Z)
            Codes.
        k : int or int64 Tensor of shape (B,)
            How many are kept; of each row, or one number for all.
        """
        places = torch.arange(z.shape[1], device=z.device)  # (K,)
        kept = places < torch.as_tensor(k, device=z.device).reshape(-1, 1)  # (B, K) or (1, K)
        return z * kept.reshape(*kept.shape, *(1,) * (z.ndim - 2))

    @classmethod
    def example(cls) -> Self:
        """Order four numbers."""
        return cls((4,))
