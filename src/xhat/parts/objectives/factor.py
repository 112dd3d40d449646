"""Total correlation, by a critic that tells codes from codes of shuffled dimensions: the FactorVAE."""

from __future__ import annotations

from typing import Self, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from xhat.core.batch import Batch
from xhat.core.encoder import Encoder
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.posterior import Posterior
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives._critic import checked, frozen
from xhat.parts.objectives._weighing import row_mean


class Factor(Objective):
    r"""Bound the evidence, and press the total correlation of the code's dimensions.

    .. math::
        L &= E_{q(z|x)}[-\log p(x|z)] + \mathrm{KL}(q(z|x) \| p(z))
             + \gamma\, E_{q(z)}\Big[\log \frac{D(z)}{1 - D(z)}\Big] \\
        L_D &= -\tfrac12 E_{z \sim q(z)}[\log D(z)] - \tfrac12 E_{z \sim \bar q(z)}[\log(1 - D(z))]

    with :math:`\bar q(z) = \prod_j q(z_j)` and :math:`D = \mathrm{sigmoid}(\mathrm{critic})`. The critic that is best
    at telling has :math:`D / (1 - D) = q(z) / \bar q(z)`, whose mean logarithm is the total correlation; L sees it as a
    fixed function. Draws of :math:`\bar q` are codes whose every dimension was permuted over rows by itself. As in the
    paper they come of other rows than the draws of q: of one half of the batch, which is dealt at random, where the
    paper draws a second batch.

    Parameters
    ----------
    critic : Encoder
        A net from codes, of shape (Z,), to one logit, of shape (1,).
    gamma : float or Schedule, default=10.0
        γ. Must be >= 0.

    References
    ----------
    Kim and Mnih, "Disentangling by Factorising", ICML 2018, eq. 2 and 3, algorithms 1 and 2.
    """

    reads = Posterior
    monitor = ("distortion", "rate")  # The third term is measured by a critic that changes under it.

    def __init__(self, critic: Encoder, gamma: Coefficient = 10.0) -> None:
        super().__init__()
        self.critic = checked("Factor", critic)
        self.gamma = coefficient(gamma, "Factor", "gamma", hint="use objectives/beta_elbo for none")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, the rate and the total correlation, (B,) each."""
        code = cast(Posterior, model.encode(batch))
        z = code.rsample()  # (B, *Z)
        data = model.decode(z, batch)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),
            rate=code.kl(model.prior),
            total_correlation=self.now(self.gamma) * frozen(self.critic, z.flatten(1)).squeeze(1),
            **code.terms,
        )

    def critic_parameters(self) -> list[nn.Parameter]:
        """List the critic's parameters."""
        return list(self.critic.parameters())

    def critic_loss(self, model: Model, batch: Batch) -> Loss:
        """Give the critic's two terms, ()."""
        with torch.no_grad():
            z = model.encode(batch).rsample().flatten(1)  # (B, Z)
        half = max(1, len(z) // 2)  # of a single row, both halves are that row
        weight = batch.weight
        first, second = (None, None) if weight is None else (weight[:half], weight[-half:])
        # Draws are equal among themselves; of a half without any weight there are none.
        drawn = None if second is None else (second.sum() > 0).to(z).expand(half)
        joint, product = z[:half], permuted(z[-half:], second)
        return Loss(
            joint=0.5 * row_mean(softplus(-self.critic(joint).squeeze(1)), first),  # -½ log D(z), z ~ q
            product=0.5 * row_mean(softplus(self.critic(product).squeeze(1)), drawn),  # -½ log(1 - D(z)), z ~ q̄
        )

    @classmethod
    def example(cls) -> Self:
        """Judge codes of three numbers by a small net."""
        return cls(MLPEncoder((3,), (1,), hidden=(8,)), gamma=1.0)


def permuted(z: Float[Tensor, "B Z"], weight: Float[Tensor, "B"] | None = None) -> Float[Tensor, "B Z"]:
    """Permute every dimension over rows by itself; rows of unequal weight are drawn in proportion to it."""
    if weight is None or not weight.any():
        order = torch.stack([torch.randperm(len(z), device=z.device) for _ in range(z.shape[1])], 1)  # (B, Z)
    else:
        order = torch.multinomial(weight.expand(z.shape[1], -1), len(z), replacement=True).T
    return z.gather(0, order)
