"""The code is a cluster beside a style, with clusters kept from being one and the same for all rows."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.bottleneck import Bottleneck
from xhat.core.classified_code import ClassifiedCode
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape
from xhat.parts.bottlenecks.plain import Plain

WHO = "bottlenecks/clusters"

# The share of a batch in the running moments, as is usual.
MOMENTUM = 0.1
SMALLEST = 1e-5


class Clusters(Bottleneck):
    r""":math:`z = [\pi, s]`, with logits that are standardised over the batch.

    .. math:: \pi = \mathrm{softmax}\Big(\tau\, \frac{a - m}{\sigma}\Big), \qquad h = [a, h']

    m and σ are each logit's mean and deviation over the batch, and over batches in evaluation; τ > 0 is learned, and s
    is what `style` makes of h'. Without labels nothing else tells rows apart at the start: a logit that is highest for
    every row would take them all, its softmax would be certain, and no gradient would be left to part them.

    Parameters
    ----------
    clusters : int
        K, how many there are; >= 2.
    style : Bottleneck
        What the cluster leaves to say: of a flat code, as bottlenecks/plain or bottlenecks/gaussian.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 6. Ioffe and Szegedy, "Batch Normalization", ICML 2015.
    """

    emits = ClassifiedCode

    mean: Tensor
    variance: Tensor

    def __init__(self, clusters: int, style: Bottleneck) -> None:
        super().__init__()
        require(clusters >= 2, WHO, "clusters must be >= 2", clusters, "use the style alone for one")
        flat, hint = len(style.code_shape) == 1, "as bottlenecks/plain of shape (8,)"
        require(flat, WHO, "the style must be a flat code", style.code_shape, hint, error=ShapeError)
        self.clusters, self.style = clusters, style
        self.code_shape = (clusters + style.code_shape[0],)
        self.log_scale = nn.Parameter(torch.zeros(()))  # log τ
        self.register_buffer("mean", torch.zeros(clusters))
        self.register_buffer("variance", torch.ones(clusters))

    @property
    def in_shape(self) -> Shape:
        """A logit a cluster, then what the style reads."""
        return (self.clusters + self.style.in_shape[0],)

    def begin(self, h: Float[Tensor, "N H"]) -> None:
        """Take the moments of the first rows, and let the style look."""
        self._follow(h[:, : self.clusters], 1.0)
        self.style.begin(h[:, self.clusters :])

    def forward(self, h: Float[Tensor, "B H"]) -> ClassifiedCode:
        """Part h into the clusters' logits and the style."""
        a = h[:, : self.clusters]
        mean, variance = self.mean, self.variance
        if self.training and len(a) > 1:
            mean, variance = a.mean(0), a.var(0, correction=0)
            if torch.is_grad_enabled():  # The critic's pass is no step of the model.
                self._follow(a.detach(), MOMENTUM)
        standardised = (a - mean) * (variance + SMALLEST).rsqrt()  # (B, K)
        return ClassifiedCode(self.log_scale.exp() * standardised, self.style(h[:, self.clusters :]))

    @torch.no_grad()
    def _follow(self, a: Float[Tensor, "N K"], share: float) -> None:
        self.mean.lerp_(a.mean(0), share)
        self.variance.lerp_(a.var(0, correction=0), share)

    @classmethod
    def example(cls) -> Self:
        """Two clusters beside one number."""
        return cls(2, Plain((1,)))
