"""What nets are built of: activations by name, and linear layers with a start that suits them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from torch import nn

from xhat.core.catalogue import suggest
from xhat.core.errors import ConfigError

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


Layer = TypeVar("Layer", nn.Linear, nn.Conv1d, nn.Conv2d)


def started(layer: Layer, gain: float = 2.0) -> Layer:
    """Draw the weights so that an activation's variance is kept from layer to layer (He et al. 2015)."""
    fan_in = layer.weight[0].numel()
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
