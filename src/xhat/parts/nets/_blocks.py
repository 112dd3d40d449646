"""What nets are built of: activations by name, and linear layers with a start that suits them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from xhat.core.catalogue import suggest
from xhat.core.errors import ConfigError
from xhat.core.shapes import Shape

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def activation(name: str, who: str) -> nn.Module:
    """Make the activation of a name.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    if name not in ACTIVATIONS:
        raise ConfigError(who, "unknown activation", f"'{name}'", suggest(name, ACTIVATIONS))
    return ACTIVATIONS[name]()


Layer = TypeVar("Layer", nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)


def started(layer: Layer, gain: float = 2.0) -> Layer:
    """Draw the weights so that an activation's variance is kept from layer to layer (He et al. 2015)."""
    fan_in: float = layer.weight[0].numel()
    if isinstance(layer, nn.ConvTranspose2d):
        # Its weight is (in, out, k, k), and of a stride s each output meets only every s-th of the k.
        fan_in = layer.weight[:, 0].numel() / math.prod(layer.stride)
    nn.init.normal_(layer.weight, std=(gain / fan_in) ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def dense(widths: Sequence[int], act: str, who: str) -> nn.Sequential:
    """Stack linear layers from width to width, with an activation between any two of them."""
    layers: list[nn.Module] = []
    for i, (n_in, n_out) in enumerate(pairwise(widths)):
        last = i == len(widths) - 2
        layers.append(started(nn.Linear(n_in, n_out), gain=1.0 if last else 2.0))
        if not last:
            layers.append(activation(act, who))
    return nn.Sequential(*layers)


def halve(n: int, m: int, act: str, who: str) -> nn.Sequential:
    """Make a convolution of stride 2 with its activation: (B, n, H, W) -> (B, m, ceil(H/2), ceil(W/2))."""
    return nn.Sequential(started(nn.Conv2d(n, m, 3, stride=2, padding=1)), activation(act, who))


def shaped(flat: Tensor, shape: Shape) -> Tensor:
    """Give rows (B, N) their shape (B, *shape); vectors pass as they are, for a view is a step of a small net's."""
    return flat if len(shape) == 1 else flat.unflatten(1, shape)


def last_layer(net: nn.Module) -> nn.Module:
    """Find the last linear or convolutional layer of a chain: at zero weights, it says nothing of its input."""
    return [m for m in net.modules() if isinstance(m, nn.Linear | _ConvNd)][-1]
