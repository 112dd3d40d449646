"""How many multiplications a restoration prior needs, counted layer by layer."""

from __future__ import annotations

import torch
from torch import Tensor

from xhat.restore.prior import Prior


def multiplications(prior: Prior, side: int = 64) -> float:
    """Count the net's multiplications for each pixel."""
    counted: list[int] = []

    def count(layer: torch.nn.Module, _: object, out: Tensor) -> None:
        weight = layer.weight
        each = weight[0].numel() if isinstance(layer, torch.nn.Conv2d) else weight.shape[0]
        counted.append(each * out.numel())

    layers = [m for m in prior.net.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        prior.net(torch.rand(1, prior.net.channels, side, side), torch.tensor([0.1]))
    for hook in hooks:
        hook.remove()
    return sum(counted) / side**2
