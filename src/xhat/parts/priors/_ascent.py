"""Fitting a prior to codes afterwards, by climbing its own likelihood."""

from __future__ import annotations

import torch
from torch import Tensor

from xhat.core.prior import Prior

# Enough for some thousand parameters to settle, in seconds; the rate falls to zero over them.
STEPS, RATE, BATCH = 1500, 5e-3, 512


def climb(prior: Prior, z: Tensor, *, steps: int = STEPS, rate: float = RATE) -> None:
    r"""Move a prior's own parameters φ to :math:`\max_\phi \sum_n \log p_\phi(z_n)`, by Adam on draws of the codes.

    Nothing else is moved: a network that the prior borrows keeps its weights, and no gradient is left anywhere.
    """
    parameters = list(prior.parameters())
    frozen = [not p.requires_grad for p in parameters]
    z = z.detach().clone()  # codes made in inference mode cannot be differentiated through
    optimiser = torch.optim.Adam(parameters, lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    with torch.enable_grad():
        prior.requires_grad_(True)
        for _ in range(steps):
            some = z if len(z) <= BATCH else z[torch.randint(len(z), (BATCH,)).to(z.device)]
            gradients = torch.autograd.grad(-prior.log_prob(some).mean(), parameters, allow_unused=True)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            torch.nn.utils.clip_grad_norm_(parameters, 5.0)
            optimiser.step()
            schedule.step()
    for parameter, still in zip(parameters, frozen, strict=True):
        parameter.grad = None
        parameter.requires_grad_(not still)
