"""Semi-supervised variational autoencoder: where a row has no label, every class is tried."""

from __future__ import annotations

from typing import Self, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import log_softmax, one_hot

from xhat.core.batch import Batch
from xhat.core.classified_code import ClassifiedCode
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.posterior import Posterior
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.bottlenecks.classified import Classified as ClassifiedBottleneck
from xhat.parts.objectives._labels import known_classes
from xhat.parts.priors.classified import Classified

WHO = "M2"


class M2(Objective):
    r"""Bound the evidence of rows with and without a label, and learn the classes from both.

    .. math::
        L(x, y) &= E_{q(s|x)}[-\log p(x|y, s)] - \log p(y) + \mathrm{KL}(q(s|x) \| p(s)) \\
        \text{labelled:} \quad & L(x, y) - \alpha \log q(y|x) \\
        \text{unlabelled:} \quad & \sum_k q(k|x)\, L(x, k) - H(q(y|x))

    for a code :math:`z = [\pi, s]` with :math:`\pi_k = q(k|x)`. The sum is exact: each row is decoded under all K
    classes, with one draw of s for all of them.

    The style's posterior is q(s|x) and not the paper's q(s|x, y), so that one pass of the encoder gives both. The bound
    is then that of a q(y, s|x) whose parts are independent: s must suit every class that is still in question, and
    where π is sure of one nothing is lost. It also makes s the same thing under all classes: with another y it is
    the same hand that writes another digit.

    The predicted class of a row is the largest entry of ``code.probabilities``, the first K numbers of its code.

    Parameters
    ----------
    labels : float or Schedule, default=10.0
        α, in nats for each labelled row. Must be >= 0.
    labelled_share : float, default=0.25
        The share of each batch that is drawn from labelled rows, in [0, 1). 0 draws rows as they come.

    References
    ----------
    Kingma et al., "Semi-Supervised Learning with Deep Generative Models", NeurIPS 2014, eqs. 6 to 9: their α, 0.1
    N, is that of the mean over N_l labelled rows in a sum over N.
    """

    reads = ClassifiedCode

    def __init__(self, labels: Coefficient = 10.0, *, labelled_share: float = 0.25) -> None:
        super().__init__()
        hint = "use 0 to draw rows as they come"
        require(0 <= labelled_share < 1, WHO, "labelled_share must lie in [0, 1)", labelled_share, hint)
        self.labels = coefficient(labels, WHO, "labels", hint="use 0 for the bound alone")
        self.labelled_share = labelled_share

    def check(self, model: Model) -> None:
        """Refuse a model without p(y) p(s), or whose style is a point."""
        came, hint = type(model.prior).__name__, "use priors/classified, or the recipe m2"
        require(isinstance(model.prior, Classified), WHO, "needs a prior over a class and a style", came, hint)
        style = cast(ClassifiedBottleneck, model.bottleneck).style
        hint = "as bottlenecks/gaussian"
        require(issubclass(style.emits, Posterior), WHO, "needs a style with a posterior", type(style).__name__, hint)

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, the rates of class and style, and the classification, (B,) each."""
        code = cast(ClassifiedCode, model.encode(batch))  # see `reads`
        prior = cast(Classified, model.prior)
        log_pi = log_softmax(code.logits, 1)  # (B, K)
        y = known_classes(batch, log_pi.shape[1], WHO)  # (B,)
        known = y >= 0
        y = one_hot(y.clamp(min=0), log_pi.shape[1]).to(log_pi) * known[:, None]  # (B, K)
        w = torch.where(known[:, None], y, log_pi.exp())  # (B, K)  all on the label, or q(k|x)
        log_w = torch.where(known[:, None], 0.0, log_pi)  # where w > 0
        return Loss(
            distortion=(w * self._distortions(model, batch, code)).sum(1),
            class_rate=(w * (log_w - prior.log_shares)).sum(1),  # -log p(y), or -Σ q log p - H
            style_rate=code.style.kl(prior.style),
            classification=-self.now(self.labels) * (y * log_pi).sum(1),  # 0 where there is no label
            **code.terms,
        )

    @staticmethod
    def _distortions(model: Model, batch: Batch, code: ClassifiedCode) -> Float[Tensor, "B K"]:
        """-log p(x|k, s) under every class k."""
        rows, classes = code.logits.shape
        s = code.style.rsample().repeat(classes, 1)  # (K*B, S)
        k = torch.eye(classes, dtype=s.dtype, device=s.device).repeat_interleave(rows, 0)  # (K*B, K)
        again = batch.repeated(classes)
        log_p = model.decode(code.of_class(k, s), batch).log_prob(again.x, again.mask)  # (K*B,)
        return -log_p.unflatten(0, (classes, rows)).T

    @classmethod
    def example(cls) -> Self:
        """Weigh the labels by two."""
        return cls(2.0)

    @classmethod
    def example_prior(cls) -> Classified:
        """Two classes beside one number."""
        return Classified.example()
