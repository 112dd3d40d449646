"""Multi-layer perceptron: dense layers over the flattened row."""

from __future__ import annotations

from typing import Self

from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.nets._blocks import dense, last_layer, shaped


class MLPEncoder(Encoder):
    """Dense layers from a row to an encoding.

    Parameters
    ----------
    in_shape, out_shape : tuple of int
        Shapes of a row and of its encoding; any number of axes.
    hidden : tuple of int, default=(512, 256)
        Widths of the hidden layers, from the data's side to the code's. Empty for a linear map.
    activation : str, default="silu"
        Between layers: relu, gelu, silu, elu, tanh or sigmoid.
    """

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        hidden: tuple[int, ...] = (512, 256),
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, "nets/mlp"), as_shape(out_shape, "nets/mlp")
        self.hidden, self.activation = _checked(hidden), activation
        self.layers = dense([size(self.in_shape), *self.hidden, size(self.out_shape)], activation, "nets/mlp")

    def forward(self, x: Float[Tensor, "B *X"]) -> Float[Tensor, "B *H"]:
        """Encode rows."""
        return shaped(self.layers(x.flatten(1)), self.out_shape)

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return last_layer(self.layers)

    @classmethod
    def example(cls) -> Self:
        """Encode rows of six numbers as three."""
        return cls((6,), (3,), hidden=(8,))


class MLPDecoder(Decoder):
    """The encoder's mirror: the same widths, the other way round.

    Parameters
    ----------
    in_shape, out_shape : tuple of int
        Shapes of a code and of a row's parameters.
    hidden : tuple of int, default=(512, 256)
        As the encoder's, from the data's side to the code's.
    activation : str, default="silu"
        As the encoder's.
    """

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        hidden: tuple[int, ...] = (512, 256),
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, "nets/mlp"), as_shape(out_shape, "nets/mlp")
        self.hidden, self.activation = _checked(hidden), activation
        self.layers = dense([size(self.in_shape), *self.hidden[::-1], size(self.out_shape)], activation, "nets/mlp")

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B *Θ"]:
        """Decode codes."""
        return shaped(self.layers(z.flatten(1)), self.out_shape)

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return last_layer(self.layers)

    @classmethod
    def example(cls) -> Self:
        """Decode three numbers to rows of six."""
        return cls((3,), (6,), hidden=(8,))


def _checked(hidden: tuple[int, ...]) -> tuple[int, ...]:
    hidden = tuple(hidden)
    require(all(width >= 1 for width in hidden), "nets/mlp", "hidden widths must be >= 1", hidden, "as (512, 256)")
    return hidden
