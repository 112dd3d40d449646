"""A critic: what it must give, and as a fixed function."""

from __future__ import annotations

from torch import Tensor
from torch.func import functional_call

from xhat.core.encoder import Encoder
from xhat.core.errors import ShapeError, require


def checked(who: str, critic: Encoder, name: str = "the critic") -> Encoder:
    """Refuse a critic of anything but one logit a row."""
    rule, hint = f"{name} must give one logit, of shape (1,)", "build it with out_shape=(1,)"
    require(critic.out_shape == (1,), who, rule, critic.out_shape, hint, error=ShapeError)
    return critic


def frozen(critic: Encoder, z: Tensor) -> Tensor:
    """Give what the critic says of z, (B, *out_shape), with a gradient to z alone."""
    # Detached parameters, so that no gradient of the model's loss is ever left in the critic.
    weights = {name: weight.detach() for name, weight in critic.named_parameters()}
    said: Tensor = functional_call(critic, weights, (z,))
    return said
