"""Where to compute."""

from __future__ import annotations

import torch

from xhat.core.errors import ConfigError


def pick_device(name: str) -> torch.device:
    """Find the device of a name; "auto" takes a GPU where there is one.

    Raises
    ------
    ConfigError
        When the device is unknown or not on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError("device", "must be one that this machine has", f"'{name}'", "use --device auto") from error
    return device
