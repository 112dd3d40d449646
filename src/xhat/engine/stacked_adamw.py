"""AdamW and its clipping for many models at once, each with rates of its own."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.engine.spike_clip import MEMORY

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class StackedAdamW:
    r"""Step the rows of a matrix, a model's weights each, as `torch.optim.AdamW` and `SpikeClip` would one by one.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \theta &\leftarrow (1 - \eta \lambda)\, \theta
                 - \frac{\eta}{1 - \beta_1^t} \frac{m}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    with η and λ of each model. torch's own takes one rate for a tensor.

    Parameters
    ----------
    theta : Tensor of shape (M, P)
        The weights that will be stepped; their type is the state's.
    lr, weight_decay, clip : float64 Tensor of shape (M,)
        Peak η, λ, and the factor of `SpikeClip`, 0 for never.

    References
    ----------
    Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """

    def __init__(self, theta: Float[Tensor, "M P"], lr: Tensor, weight_decay: Tensor, clip: Tensor) -> None:
        self.lr, self.weight_decay, self.clip = lr, weight_decay, clip.to(theta.dtype)
        self.m, self.v = torch.zeros_like(theta), torch.zeros_like(theta)
        self.length = theta.new_full((len(theta),), torch.nan)  # the running mean |g|; nan before the first

    def rates(self, shares: Sequence[float], step: int) -> list[tuple[Tensor, ...]]:
        """Give what each of S steps multiplies by: 1 - ηλ and η / (1 - β₁ᵗ), (M,) each, and 1 / √(1 - β₂ᵗ), ().

        Parameters
        ----------
        shares : sequence of float
            Of the peak rate, as the schedule has them.
        step : int
            t of the first, from 1.
        """
        # In double, as torch computes them before it rounds: near 1 a 32-bit float keeps little of ηλ.
        eta = self.lr * self.lr.new_tensor(shares).unsqueeze(1)  # (S, M)
        steps = range(step, step + len(shares))
        first, root = ([1 - beta**t for t in steps] for beta in BETAS)
        keep, size = 1 - eta * self.weight_decay, eta / eta.new_tensor(first).unsqueeze(1)
        all_ = (keep, size, keep.new_tensor([1 / math.sqrt(value) for value in root]))
        return list(zip(*(rate.to(self.m.dtype).unbind() for rate in all_), strict=True))

    def state(self) -> list[Tensor]:
        """Give m, v (M, P), the running mean lengths (M,) and the clips (M,); all but the last change in place."""
        return [self.m, self.v, self.length, self.clip]

    def select(self, models: Tensor) -> StackedAdamW:
        """Keep some models, copied."""
        kept = copy.copy(self)
        for name, value in vars(self).items():
            setattr(kept, name, value[models])
        return kept

    def put(self, models: Tensor, part: StackedAdamW) -> None:
        """Take over what `part`, of some of the models, has become."""
        self.m[models], self.v[models], self.length[models] = part.m, part.v, part.length


def move(theta: Float[Tensor, "M P"], g: Float[Tensor, "M P"], state: list[Tensor], rates: Sequence[Tensor]) -> None:
    """Step θ and the `state` of a `StackedAdamW` in place, at some `rates`."""
    m, v, length, clip = state
    keep, size, root = rates
    now = torch.linalg.vector_norm(g, dim=1)  # (M,)
    past = torch.where(length.isnan() | (length == 0), now, length)
    limit = clip * past
    share = torch.where(clip > 0, (limit / (now + 1e-12)).clamp(max=1.0), 1.0)
    length.copy_(torch.lerp(torch.minimum(now, limit), torch.where(length.isnan(), now, length), MEMORY))
    g = g * share.unsqueeze(1)
    m.lerp_(g, 1 - BETAS[0])
    v.mul_(BETAS[1]).addcmul_(g, g, value=1 - BETAS[1])
    theta.mul_(keep.unsqueeze(1)).addcdiv_(m * -size.unsqueeze(1), v.sqrt().mul_(root).add_(EPSILON))
