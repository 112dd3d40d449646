"""A critic as a fixed function."""

from __future__ import annotations

from torch import Tensor
from torch.func import functional_call

from xhat.core.encoder import Encoder


def frozen(critic: Encoder, z: Tensor) -> Tensor:
    """Give what the critic says of z, (B, *out_shape), with a gradient to z alone."""
    # Detached parameters, so that no gradient of the model's loss is ever left in the critic.
    weights = {name: weight.detach() for name, weight in critic.named_parameters()}
    said: Tensor = functional_call(critic, weights, (z,))
    return said
