"""Linear maps: trained on the squared error they span PCA's subspace."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.nets._blocks import started


class LinearEncoder(Encoder):
    """h = W x + b.

    Parameters
    ----------
    in_shape, out_shape : tuple of int
        Shapes of a row and of its encoding; any number of axes.

    References
    ----------
    Baldi and Hornik, "Neural Networks and Principal Component Analysis", Neural Networks 1989.
    """

    def __init__(self, in_shape: Shape, out_shape: Shape) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, "nets/linear"), as_shape(out_shape, "nets/linear")
        self.map = started(nn.Linear(size(self.in_shape), size(self.out_shape)), gain=1.0)

    @torch.no_grad()
    def start(self, axes: Float[Tensor, "H D"], offset: Float[Tensor, "H"]) -> None:
        """Set W and b, as to PCA's."""
        self.map.weight.copy_(axes)
        self.map.bias.copy_(offset)

    def forward(self, x: Float[Tensor, "B *X"]) -> Float[Tensor, "B *H"]:
        """Encode rows."""
        return self.map(x.flatten(1)).unflatten(1, self.out_shape)

    @property
    def last(self) -> nn.Module:
        """The only layer."""
        return self.map

    @classmethod
    def example(cls) -> Self:
        """Encode rows of six numbers as three."""
        return cls((6,), (3,))


class LinearDecoder(Decoder):
    """θ = W z + b.

    Parameters
    ----------
    in_shape, out_shape : tuple of int
        Shapes of a code and of a row's parameters.
    """

    def __init__(self, in_shape: Shape, out_shape: Shape) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, "nets/linear"), as_shape(out_shape, "nets/linear")
        self.map = started(nn.Linear(size(self.in_shape), size(self.out_shape)), gain=1.0)

    @torch.no_grad()
    def start(self, axes: Float[Tensor, "D Z"], offset: Float[Tensor, "D"]) -> None:
        """Set W and b, as to PCA's."""
        self.map.weight.copy_(axes)
        self.map.bias.copy_(offset)

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B *Θ"]:
        """Decode codes."""
        return self.map(z.flatten(1)).unflatten(1, self.out_shape)

    @property
    def last(self) -> nn.Module:
        """The only layer."""
        return self.map

    @classmethod
    def example(cls) -> Self:
        """Decode three numbers to rows of six."""
        return cls((3,), (6,))
