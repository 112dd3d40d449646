"""Sinkhorn autoencoder: codes are carried to draws of the prior at the least cost."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.objectives._distances import energy, squares


class Sinkhorn(Objective):
    r"""Match the codes' distribution to the prior's by optimal transport.

    .. math::
        L &= E[-\log p(x|z)] + \tfrac{\lambda}{2}\,
            E\big[ W_\varepsilon(z_1, p_2) + W_\varepsilon(z_2, p_1)
            - W_\varepsilon(z_1, z_2) - W_\varepsilon(p_1, p_2) \big] \\
        W_\varepsilon(a, b) &= \min_\pi E_\pi \|a_i - b_j\|^2 + \varepsilon\, \mathrm{KL}(\pi \| a \otimes b)

    with both halves of the batch's codes, :math:`z_1, z_2`, and of as many draws of the prior. In the place of W the
    Sinkhorn divergence :math:`S_\varepsilon(a, b) = W_\varepsilon(a, b) - \tfrac12 W_\varepsilon(a, a) - \tfrac12
    W_\varepsilon(b, b)` may be read: what it takes off cancels. S alone, between one batch of codes and one of the
    prior, is least for codes that are drawn too close together: for 64 rows of 16 dimensions, at half the prior's
    scale. The term belongs to the batch and not to a row; weights of rows do not enter it.

    Parameters
    ----------
    weight : float or Schedule, default=1.0
        λ, in nats for a squared distance of 1 between codes. Must be >= 0.
    epsilon : float, default=0.1
        ε over the code's size d, whose draws are 2d apart on average. Must be > 0: near 0 the plan is sharp, but
        needs more steps and more rows; at large values only the means are compared.
    steps : int, default=30
        Sinkhorn's iterations; ε falls to its value over the first half.

    References
    ----------
    Patrini et al., "Sinkhorn AutoEncoders", UAI 2019. Salimans et al., "Improving GANs Using Optimal Transport", ICLR
    2018, eq. 5, for the halves. Feydy et al., "Interpolating between Optimal Transport and MMD using Sinkhorn
    Divergences", AISTATS 2019, eq. 3, and section 3.1 for the symmetric iterations.
    """

    def __init__(self, weight: Coefficient = 1.0, *, epsilon: float = 0.1, steps: int = 30) -> None:
        super().__init__()
        require(epsilon > 0, "Sinkhorn", "epsilon must be > 0", epsilon, "0.1 suits most codes")
        require(steps >= 1, "Sinkhorn", "steps must be >= 1", steps, "30 suits epsilon=0.1")
        self.weight = coefficient(weight, "Sinkhorn", "weight", hint="use objectives/reconstruction for none")
        self.epsilon, self.steps = epsilon, steps

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and the transport, ()."""
        code = model.encode(batch)
        z = code.rsample()  # (B, *Z)
        data = model.decode(z, batch)
        prior = model.prior.sample(len(z)).flatten(1)  # (B, d)
        apart = energy(lambda a, b: transport(a, b, self.epsilon, self.steps), z.flatten(1), prior)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            transport=self.now(self.weight) * apart,  # (): of the batch
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Take few steps at a large ε."""
        return cls(1.0, epsilon=0.5, steps=10)


def transport(a: Float[Tensor, "N d"], b: Float[Tensor, "M d"], epsilon: float, steps: int) -> Float[Tensor, ""]:
    r"""Give :math:`W_{\varepsilon d}` of two samples by its dual potentials f and g, differentiable in both samples.

    .. math:: f_i = -\varepsilon \log \frac1M \sum_j e^{(g_j - C_{ij}) / \varepsilon}, \qquad
              W_\varepsilon = \frac1N \sum_i f_i + \frac1M \sum_j g_j

    By the envelope theorem the gradient sees the last step alone, with its other potential held.
    """
    cost = squares(a, b)  # (N, M)
    epsilon = epsilon * a.shape[1]
    with torch.no_grad():
        f, g = cost.new_zeros(len(cost)), cost.new_zeros(cost.shape[1])
        start = cost.max().clamp(min=epsilon)
        for step in range(steps):
            # From the widest cost down: at a small ε alone, a potential moves by no more than ε a step.
            share = min(2 * (step + 1) / steps, 1.0)
            now = start * (epsilon / start) ** share
            # Both at once, and halfway: neither sample is before the other.
            f, g = (f + _softmin(g, cost, now)) / 2, (g + _softmin(f, cost.T, now)) / 2
    # From either side a lower bound that is exact at the optimum; their mean does not know a from b.
    return (_softmin(g, cost, epsilon).mean() + g.mean() + _softmin(f, cost.T, epsilon).mean() + f.mean()) / 2


def _softmin(other: Tensor, cost: Tensor, epsilon: Tensor | float) -> Tensor:
    return -epsilon * (torch.logsumexp((other - cost) / epsilon, 1) - math.log(cost.shape[1]))
