"""The code is a layer of rectified units, silent or positive."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.bottleneck import Bottleneck
from xhat.core.shapes import Shape, as_shape
from xhat.core.sparse_code import SparseCode


class Rectified(Bottleneck):
    r"""Units that are exactly silent or positive: :math:`z = \max(0, h)`.

    How many speak is left to the objective, as objectives/sparse.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.

    References
    ----------
    Glorot et al., "Deep Sparse Rectifier Neural Networks", AISTATS 2011.
    """

    emits = SparseCode

    def __init__(self, code_shape: Shape) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "bottlenecks/rectified")

    def forward(self, h: Float[Tensor, "B *Z"]) -> SparseCode:
        """Cut h at zero."""
        return SparseCode(torch.relu(h))

    @classmethod
    def example(cls) -> Self:
        """Make codes of sixteen units, of which some speak for every row."""
        return cls((16,))
