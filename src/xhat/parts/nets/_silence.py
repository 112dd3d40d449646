"""A net beside a path says nothing at first."""

from __future__ import annotations

import torch
from torch import nn

from xhat.core.errors import ConfigError


@torch.no_grad()
def silence(net: nn.Module, who: str) -> None:
    """Set a net's last layer to zero.

    Raises
    ------
    ConfigError
        When it has none.
    """
    last = getattr(net, "last", None)
    if last is None:
        raise ConfigError(who, "needs a net with a last layer to set to zero", type(net).__name__, "use nets/mlp")
    for parameter in last.parameters():
        parameter.zero_()
