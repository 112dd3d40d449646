"""Adversarial autoencoder with labels in the critic: each class is drawn to its own part of the prior."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from xhat.core.batch import Batch
from xhat.core.encoder import Encoder
from xhat.core.errors import ShapeError, require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.prior import Prior
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives._critic import checked, frozen
from xhat.parts.objectives._labels import known_classes
from xhat.parts.priors.classified import Classified
from xhat.parts.priors.normal import Normal

WHO = "AdversarialLabels"


class AdversarialLabels(Objective):
    r"""Tell the critic the class of a code, and show it the prior's draws of that class.

    .. math::
        L &= E[-\log p(x|z)] - \lambda\, E[\log D(f(x), y)] \\
        L_D &= -E_{y,\, z \sim p(z|y)}[\log D(z, y)] - E_{x, y}[\log(1 - D(f(x), y))]

    with y one-hot beside the code. A row without a label, y = -1, has a class of its own in the critic, and is
    compared with draws from the whole of p(z).

    Parameters
    ----------
    critic : Encoder
        D: a net from a code and a class, (Z + K + 1,), to one logit, (1,).
    classes : int
        K. The model's prior must know them: it has a method ``sample_of(y)``, as that of priors/petals.
    weight : float or Schedule, default=1.0
        λ, in nats. Must be >= 0.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 2.3 and figure 3.
    """

    monitor = ("distortion",)  # The fooling term is measured by a critic that changes under it.

    def __init__(self, critic: Encoder, classes: int, weight: Coefficient = 1.0) -> None:
        super().__init__()
        require(classes >= 1, WHO, "classes must be >= 1", classes, "use objectives/adversarial for none")
        checked(WHO, critic)
        rule, hint = "the critic must read a flat code and K + 1 classes", "build it with in_shape=(Z + K + 1,)"
        wide = len(critic.in_shape) == 1 and critic.in_shape[0] > classes + 1
        require(wide, WHO, rule, critic.in_shape, hint, error=ShapeError)
        self.critic, self.classes = critic, classes
        self.weight = coefficient(weight, WHO, "weight", hint="use objectives/reconstruction for none")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion and the fooling term, both (B,)."""
        code = model.encode(batch)
        z = code.rsample()
        data = model.decode(z, batch)
        said = frozen(self.critic, self._with_class(z, self._classes(batch)))
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            fooling=self.now(self.weight) * softplus(-said.squeeze(1)),  # (B,)  -λ log D(z, y)
            **code.terms,
        )

    def critic_parameters(self) -> list[nn.Parameter]:
        """List the critic's parameters."""
        return list(self.critic.parameters())

    def critic_loss(self, model: Model, batch: Batch) -> Loss:
        """Give the critic's two terms, (B,) each."""
        y = self._classes(batch)
        with torch.no_grad():
            fake = model.encode(batch).rsample()
            real = self._draws(model.prior, y)
        return Loss(
            real=softplus(-self.critic(self._with_class(real, y)).squeeze(1)),
            fake=softplus(self.critic(self._with_class(fake, y)).squeeze(1)),
        )

    def _classes(self, batch: Batch) -> Tensor:
        """Number the rows' classes, (B,); K stands for none."""
        y = known_classes(batch, self.classes, WHO)
        return torch.where(y < 0, self.classes, y)

    def _draws(self, prior: Prior, y: Tensor) -> Float[Tensor, "B *Z"]:
        """Draw from each row's part of the prior; from the whole where y is K."""
        hint = "use priors/petals, priors/swiss_roll or priors/classified"
        who = type(prior).__name__
        require(prior.classes is not None, WHO, "needs a prior that can be drawn from by class", who, hint)
        known = y < self.classes
        draws = prior.sample(len(y))
        of_class = prior.sample_of(torch.where(known, y, 0))
        return torch.where(known.reshape(-1, *(1,) * (draws.ndim - 1)), of_class, draws)

    def _with_class(self, z: Tensor, y: Tensor) -> Float[Tensor, "B _"]:
        return torch.cat([z.flatten(1), one_hot(y, self.classes + 1).to(z)], 1)

    @classmethod
    def example(cls) -> Self:
        """Judge codes of three numbers, of two classes."""
        return cls(MLPEncoder((6,), (1,), hidden=(8,)), 2)

    @classmethod
    def example_prior(cls) -> Prior:
        """Give a prior over codes of three numbers that knows two classes."""
        return Classified(2, Normal((1,)))
