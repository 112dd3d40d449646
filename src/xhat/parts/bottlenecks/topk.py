"""The code keeps the k largest entries of each row."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape, size
from xhat.core.sparse_code import SparseCode
from xhat.parts.bottlenecks._silence import Silence, largest


class TopK(Bottleneck):
    r"""Keep what k units say, and silence the others.

    .. math:: z = \mathrm{TopK}(\max(h, 0)), \qquad \|z\|_0 \le k

    A gradient reaches the k units alone. Those that have long been silent are given beside the code, for
    objectives/revival.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code; of a spatial code the k units lie anywhere on its grid.
    k : int, default=16
        Active units a row, at most.
    silent_after : int, default=10000
        Training rows without firing after which a unit counts as silent.
    revived : int, optional
        Silent units a row that are given for revival; an eighth of all, at most 512, by default.

    References
    ----------
    Makhzani and Frey, "k-Sparse Autoencoders", ICLR 2014. Gao et al., "Scaling and Evaluating Sparse Autoencoders",
    2024, section 2.3, and 2.4 for dead units.
    """

    emits = SparseCode

    def __init__(
        self, code_shape: Shape, k: int = 16, *, silent_after: int = 10_000, revived: int | None = None
    ) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "TopK")
        units = size(self.code_shape)
        rule = f"k must be between 1 and the code's {units} units"
        require(1 <= k <= units, "TopK", rule, k, "give the code more units, or keep fewer")
        self.k, self.silent_after, self.revived = k, silent_after, revived
        self.silence = Silence(self.code_shape, silent_after, revived, "TopK")

    def forward(self, h: Float[Tensor, "B *Z"]) -> SparseCode:
        """Keep the largest entries of each row."""
        z = largest(relu(h), self.k)
        silent = self.silence.heard(h)
        if self.training and torch.is_grad_enabled():
            self.silence.watch(z)
        return SparseCode(z, silent)

    @classmethod
    def example(cls) -> Self:
        """Keep two numbers of three."""
        return cls((3,), 2)
