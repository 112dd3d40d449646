"""Adversarial autoencoder: a critic tells codes from draws of the prior, the encoder learns to fool it."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from xhat.core.batch import Batch
from xhat.core.encoder import Encoder
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives._critic import checked, frozen


class Adversarial(Objective):
    r"""Draw the codes' distribution to the prior's by a game.

    .. math::
        L &= E[-\log p(x|z)] - \lambda\, E[\log D(f(x))] \\
        L_D &= -E_{z \sim p(z)}[\log D(z)] - E_x[\log(1 - D(f(x)))]

    with :math:`D = \mathrm{sigmoid}(\mathrm{critic})`. L moves the model and sees the critic as a fixed function;
    :math:`L_D` moves the critic and sees the codes as fixed points.

    Parameters
    ----------
    critic : Encoder
        A net from codes, of shape (Z,), to one logit, of shape (1,).
    weight : float or Schedule, default=1.0
        λ, in nats. Must be >= 0. 1 suits a likelihood whose scale is learned, whose distortion is in nats as well;
        against a fixed scale it has to be found for each data set.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015. Goodfellow et al., "Generative Adversarial Nets", 2014,
    section 3, for the loss of the encoder that does not saturate.
    """

    monitor = ("distortion",)  # The fooling term is measured by a critic that changes under it.

    def __init__(self, critic: Encoder, weight: Coefficient = 1.0) -> None:
        super().__init__()
        self.critic = checked("Adversarial", critic)
        self.weight = coefficient(weight, "Adversarial", "weight", hint="use objectives/reconstruction for none")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion and the fooling term, both (B,)."""
        code = model.encode(batch)
        z = code.rsample()
        data = model.decode(z, batch)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            fooling=self.now(self.weight) * softplus(-self._fixed_critic(z)),  # (B,)  -λ log D(z)
            **code.terms,
        )

    def critic_parameters(self) -> list[nn.Parameter]:
        """List the critic's parameters."""
        return list(self.critic.parameters())

    def critic_loss(self, model: Model, batch: Batch) -> Loss:
        """Give the critic's two terms, (B,) each."""
        with torch.no_grad():
            fake = model.encode(batch).rsample()
            real = model.prior.sample(len(fake))
        return Loss(
            real=softplus(-self._logit(self.critic(real.flatten(1)))),  # -log D(z), z ~ p(z)
            fake=softplus(self._logit(self.critic(fake.flatten(1)))),  # -log(1 - D(f(x)))
        )

    def _fixed_critic(self, z: Tensor) -> Float[Tensor, "B"]:
        return self._logit(frozen(self.critic, z.flatten(1)))

    @staticmethod
    def _logit(out: Float[Tensor, "B 1"]) -> Float[Tensor, "B"]:
        return out.squeeze(1)

    @classmethod
    def example(cls) -> Self:
        """Judge codes of three numbers by a small net."""
        return cls(MLPEncoder((3,), (1,), hidden=(8,)), weight=1.0)
