"""Semi-supervised adversarial autoencoder: a class and a style, each drawn to its prior by a critic of its own."""

from __future__ import annotations

from typing import Self, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot, softplus

from xhat.core.batch import Batch
from xhat.core.classified_code import ClassifiedCode
from xhat.core.encoder import Encoder
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.prior import Prior
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives._critic import checked, frozen
from xhat.parts.objectives._labels import known_classes
from xhat.parts.priors.classified import Classified

WHO = "AdversarialSemi"


class AdversarialSemi(Objective):
    r"""Learn classes from few labels or from none: labelled rows name the classes, two games shape the code.

    .. math::
        L &= E[-\log p(x|\pi, s)] - \lambda_y E[\log D_y(\pi)] - \lambda_s E[\log D_s(s)]
             - \alpha\, [y \ge 0] \log \pi_y \\
        L_D &= -E_{y \sim p(y)}[\log D_y(y)] - E_x[\log(1 - D_y(\pi))]
               - E_{s \sim p(s)}[\log D_s(s)] - E_x[\log(1 - D_s(s))]

    with :math:`\pi, s = f(x)`, the classes' probabilities and the style. The model's prior is p(y) p(s), as of
    priors/classified: :math:`D_y` sees one-hot draws, all classes as often, and so asks for certain answers and for
    equal shares. Within objectives/adversarial_reduce, where the prior is over their sum, classes are drawn alike and
    p(s) is a standard normal. The label y is -1 where there is none. With α = 0 labels are not read, and the classes
    are clusters.

    Parameters
    ----------
    class_critic, style_critic : Encoder
        :math:`D_y` and :math:`D_s`: nets from π, (K,), and from s, (S,), to one logit, (1,).
    class_weight, style_weight : float or Schedule, default=1.0
        :math:`\lambda_y` and :math:`\lambda_s`, in nats. Must be >= 0.
    labels : float or Schedule, default=1.0
        α. Must be >= 0.
    labelled_share : float, default=0.5
        The share of each batch that is drawn from labelled rows, in [0, 1).

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 5 for few labels, section 6 for clusters.
    """

    reads = ClassifiedCode
    # The distortion is lowest before the game has made classes of what else the code would say.
    keeps_last = True
    # Not the fooling terms: they are measured by critics that change under them.
    monitor = ("distortion", "classification")

    def __init__(
        self,
        class_critic: Encoder,
        style_critic: Encoder,
        class_weight: Coefficient = 1.0,
        style_weight: Coefficient = 1.0,
        labels: Coefficient = 1.0,
        *,
        labelled_share: float = 0.5,
    ) -> None:
        super().__init__()
        for name, critic in (("class_critic", class_critic), ("style_critic", style_critic)):
            checked(WHO, critic, name)
        hint = "use 0 to draw rows as they come"
        require(0 <= labelled_share < 1, WHO, "labelled_share must lie in [0, 1)", labelled_share, hint)
        self.class_critic, self.style_critic = class_critic, style_critic
        self.class_weight = coefficient(class_weight, WHO, "class_weight")
        self.style_weight = coefficient(style_weight, WHO, "style_weight")
        self.labels = coefficient(labels, WHO, "labels", hint="use 0 for clusters")
        self.labelled_share = labelled_share

    def check(self, model: Model) -> None:
        """Refuse a prior that the games would not draw the codes to."""
        prior, hint = model.prior, "use priors/classified, or the recipe aae_semi"
        came, parted = type(prior).__name__, isinstance(prior, Classified)
        require(parted, WHO, "needs a prior over a class and a style", came, hint)
        classes = self.class_critic.in_shape[0]
        require(prior.classes == classes, WHO, f"the prior must be over the class critic's {classes}", prior.classes)

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, the two fooling terms and the classification, (B,) each."""
        code = cast(ClassifiedCode, model.encode(batch))  # see `reads`
        pi, s = code.probabilities, code.style.rsample()  # (B, K), (B, S)
        data = model.decode(code.of_class(pi, s), batch)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),
            fooling_class=self.now(self.class_weight) * softplus(-frozen(self.class_critic, pi).squeeze(1)),
            fooling_style=self.now(self.style_weight) * softplus(-frozen(self.style_critic, s).squeeze(1)),
            classification=self.now(self.labels) * self._surprise(code.logits, batch),
            **code.terms,
        )

    def critic_parameters(self) -> list[nn.Parameter]:
        """List the parameters of both critics."""
        return [*self.class_critic.parameters(), *self.style_critic.parameters()]

    def critic_loss(self, model: Model, batch: Batch) -> Loss:
        """Give the two terms of either critic, (B,) each."""
        with torch.no_grad():
            code = cast(ClassifiedCode, model.encode(batch))
            pi, s = code.probabilities, code.style.rsample()
            y, style = self._drawn(model.prior, pi, s)
        return Loss(
            real_class=softplus(-self.class_critic(y).squeeze(1)),
            fake_class=softplus(self.class_critic(pi).squeeze(1)),
            real_style=softplus(-self.style_critic(style).squeeze(1)),
            fake_style=softplus(self.style_critic(s).squeeze(1)),
        )

    @staticmethod
    def _drawn(prior: Prior, pi: Float[Tensor, "B K"], s: Float[Tensor, "B S"]) -> tuple[Tensor, Tensor]:
        """Draw as many one-hot classes and styles as there are codes."""
        classes = pi.shape[1]
        if isinstance(prior, Classified):
            z = prior.sample(len(pi))
            return z[:, :classes], z[:, classes:]
        y = torch.randint(classes, (len(pi),), device=pi.device)
        return one_hot(y, classes).to(pi), torch.randn_like(s)

    def _surprise(self, logits: Float[Tensor, "B K"], batch: Batch) -> Float[Tensor, "B"]:
        """-log π_y of labelled rows, 0 of others."""
        # No labels are looked at where they are not learned from: those of other classes than K may be there.
        if batch.y is None or self.labels == 0:
            return logits.new_zeros(len(logits))
        y = known_classes(batch, logits.shape[1], WHO)
        return cross_entropy(logits, y, ignore_index=-1, reduction="none")

    @classmethod
    def example(cls) -> Self:
        """Two classes beside a style of one number."""
        return cls(MLPEncoder((2,), (1,), hidden=(8,)), MLPEncoder((1,), (1,), hidden=(8,)))

    @classmethod
    def example_prior(cls) -> Prior:
        """Two classes beside one number."""
        return Classified.example()
