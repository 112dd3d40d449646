"""The code is a layer of sigmoid units."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.bottleneck import Bottleneck
from xhat.core.shapes import Shape, as_shape
from xhat.core.unit_code import UnitCode


class Sigmoid(Bottleneck):
    r"""Units between 0 and 1: :math:`z = \mathrm{sigmoid}(h)`, which is what is decoded as well.

    Behind a linear encoder (``net.hidden=[]``, `nets/linear`) it is the hidden layer of the classical autoencoder.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.

    References
    ----------
    Vincent et al., "Stacked Denoising Autoencoders", JMLR 2010, section 2.2.
    """

    emits = UnitCode

    def __init__(self, code_shape: Shape) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "bottlenecks/sigmoid")

    def forward(self, h: Float[Tensor, "B *Z"]) -> UnitCode:
        """Squash h."""
        return UnitCode(torch.sigmoid(h))

    @classmethod
    def example(cls) -> Self:
        """Make codes of three numbers."""
        return cls((3,))
