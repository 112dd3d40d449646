"""Masked dense layers (MADE): an element is decoded from the elements before it, so that a code gives exact odds."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import require
from xhat.core.masked_linear import MaskedLinear
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.nets._blocks import activation as activation_of

WHO = "nets/made"


class MADEEncoder(Encoder):
    r"""Dense layers whose units each see only the first elements of a row.

    .. math:: h^{l+1} = \mathrm{act}\big((W \odot M) h^l + b\big), \qquad M_{kj} = [m_k \ge m_j]

    Element d of the row, in the order in which it is laid out in memory, has degree d = 1 … D. The units of a hidden
    layer and those of the code have degrees :math:`m_k` from 1 to D - 1, spread evenly: unit k sees the first
    :math:`m_k` elements. The degrees are a function of the widths alone, so that the decoder finds the same ones.

    Parameters
    ----------
    in_shape, out_shape : tuple of int
        Shapes of a row and of its encoding; any number of axes.
    hidden : tuple of int, default=(512,)
        Widths of the hidden layers, from the data's side to the code's.
    activation : str, default="silu"
        Between layers: relu, gelu, silu, elu, tanh or sigmoid.

    References
    ----------
    Germain et al., "MADE: Masked Autoencoder for Distribution Estimation", ICML 2015, eq. 8 to 13. Without its
    direct connection from x to θ, which would pass the code by, and in one order of the elements.
    """

    def __init__(
        self, in_shape: Shape, out_shape: Shape, *, hidden: tuple[int, ...] = (512,), activation: str = "silu"
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), as_shape(out_shape, WHO)
        self.hidden, self.activation = _checked(hidden), activation
        self.ancestral = elements = size(self.in_shape)
        degrees = [torch.arange(1, elements + 1)]
        degrees += [_spread(width, elements) for width in (*self.hidden, size(self.out_shape))]
        masks = [after[:, None] >= before for before, after in pairwise(degrees)]
        self.layers = _masked(masks, activation)

    def forward(self, x: Float[Tensor, "B *X"]) -> Float[Tensor, "B *H"]:
        """Encode rows."""
        return self.layers(x.flatten(1)).unflatten(1, self.out_shape)

    @classmethod
    def example(cls) -> Self:
        """Encode rows of six numbers as three."""
        return cls((6,), (3,), hidden=(8,))


class MADEDecoder(Decoder):
    r"""The encoder's mirror, down to an output whose element d sees only the code of the elements before it.

    .. math:: M_{dk} = [d > m_k] \text{ in the last layer, and as the encoder's in the others}

    Behind such an encoder and a plain bottleneck :math:`p(x|z) = \prod_d p(x_d | x_1 \dots x_{d-1})`, thus the
    distortion is the exact :math:`-\log p(x)` and a model draws rows element by element. A reconstruction is then a
    prediction from what comes before and no copy. Behind a bottleneck that is drawn to a prior, or that mixes the
    numbers of a code, it is a decoder like others, with fewer connections.

    Parameters
    ----------
    in_shape, out_shape : tuple of int
        Shapes of a code and of a row's parameters.
    hidden : tuple of int, default=(512,)
        As the encoder's, from the data's side to the code's.
    activation : str, default="silu"
        As the encoder's.
    per_element : int, default=1
        P, how many parameters the likelihood has for an element, stacked on the axis of features: the last of a
        series, else the first, which then is P times the row's. All parameters of an element have its degree.
    """

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        hidden: tuple[int, ...] = (512,),
        activation: str = "silu",
        per_element: int = 1,
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), as_shape(out_shape, WHO)
        self.hidden, self.activation, self.per_element = _checked(hidden), activation, per_element
        axis = 1 if len(self.out_shape) == 2 else 0
        parts = per_element >= 1 and self.out_shape[axis] % per_element == 0
        rule = f"per_element must be >= 1 and divide the axis of features of {self.out_shape}"
        require(parts, WHO, rule, per_element, "count the likelihood's parameters of one element")
        self.ancestral = elements = size(self.out_shape) // per_element
        degrees = [_spread(width, elements) for width in (size(self.in_shape), *self.hidden[::-1])]
        masks = [after[:, None] >= before for before, after in pairwise(degrees)]
        row = list(self.out_shape)
        row[axis] //= per_element
        of_parameters = torch.cat([torch.arange(1, elements + 1).view(row)] * per_element, axis).flatten()
        self.layers = _masked([*masks, of_parameters[:, None] > degrees[-1]], activation)

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B *Θ"]:
        """Decode codes."""
        return self.layers(z.flatten(1)).unflatten(1, self.out_shape)

    @classmethod
    def example(cls) -> Self:
        """Decode three numbers to rows of six."""
        return cls((3,), (6,), hidden=(8,))


def _masked(masks: list[Tensor], act: str) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, mask in enumerate(masks):
        last = i == len(masks) - 1
        layer = MaskedLinear(mask)
        seen = mask.sum(1, keepdim=True).clamp(min=1)
        with torch.no_grad():
            # Of what each unit sees, not of the layer's width: the first units see one element.
            layer.weight.normal_().mul_(((1.0 if last else 2.0) / seen) ** 0.5)
        layers.append(layer)
        if not last:
            layers.append(activation_of(act, WHO))
    return nn.Sequential(*layers)


def _spread(width: int, elements: int) -> Int[Tensor, "K"]:
    """Degrees of `width` units, from 1 to D - 1 in order; rows of one element have nothing to see."""
    if elements == 1:
        return torch.full((width,), 1)
    return 1 + torch.arange(width) * (elements - 1) // width


def _checked(hidden: tuple[int, ...]) -> tuple[int, ...]:
    hidden = tuple(hidden)
    require(all(width >= 1 for width in hidden), WHO, "hidden widths must be >= 1", hidden, "as (512,)")
    return hidden
