"""The code is the place of a cluster's head, moved by a style: clusters apart in few dimensions."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.bottleneck import Bottleneck
from xhat.core.classified_code import ClassifiedCode
from xhat.core.code import Code
from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape
from xhat.parts.bottlenecks.clusters import Clusters
from xhat.parts.bottlenecks.plain import Plain

WHO = "bottlenecks/cluster_heads"


class ClusterHeads(Bottleneck):
    r"""Add a style to the heads that the classes weigh.

    .. math::
        z = W_C \pi + s, \qquad
        \mathrm{separation} = \lambda \sum_{i < j} \max(0, \eta - \|w_i - w_j\|)

    with π and s parted from h as bottlenecks/clusters does, and a learned head :math:`w_k`, a column of :math:`W_C`,
    for each cluster. Heads that come nearer than η to each other are pushed apart.

    Parameters
    ----------
    clusters : int
        K, how many heads there are; >= 2.
    size : int
        Of z.
    distance : float, default=5.0
        η, in the units of the style, whose prior is a standard normal. Must be > 0.
    weight : float, default=1.0
        λ, in nats for each unit that a pair lacks. Must be >= 0.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 7.
    """

    emits = ClassifiedCode

    def __init__(self, clusters: int, size: int, *, distance: float = 5.0, weight: float = 1.0) -> None:
        super().__init__()
        require(clusters >= 2, WHO, "clusters must be >= 2", clusters, "use bottlenecks/plain for one")
        require(distance > 0, WHO, "distance must be > 0", distance, "a few times 1, the style's spread")
        require(weight >= 0, WHO, "weight must be >= 0", weight, "use 0 for none")
        self.clusters, self.size, self.distance, self.weight = clusters, size, distance, weight
        self.code_shape = as_shape(size, WHO)
        self.parts = Clusters(clusters, Plain((size,)))
        self.heads = nn.Parameter(distance * torch.randn(clusters, size))

    @property
    def in_shape(self) -> Shape:
        """A logit a cluster, then the style."""
        return self.parts.in_shape

    def begin(self, h: Float[Tensor, "N H"]) -> None:
        """Let the clusters take their moments."""
        self.parts.begin(h)

    def forward(self, h: Float[Tensor, "B H"]) -> ClassifiedCode:
        """Part h into the clusters' logits and the style, and add them up."""
        code = self.parts(h)
        style = Code(code.style.z, separation=self.weight * self._lack())
        return _HeadsCode(code.logits, style, self.heads)

    def _lack(self) -> Float[Tensor, ""]:
        """By how much pairs of heads are nearer than η, added up."""
        apart = nn.functional.pdist(self.heads)  # (K (K - 1) / 2,); its gradient at 0 is 0
        return (self.distance - apart).clamp(min=0).sum()

    @classmethod
    def example(cls) -> Self:
        """Two heads in three dimensions."""
        return cls(2, 3)


class _HeadsCode(ClassifiedCode):
    """A classified code whose z is the sum of a head and the style."""

    def __init__(self, logits: Float[Tensor, "B K"], style: Code, heads: Float[Tensor, "K Z"]) -> None:
        super().__init__(logits, style)
        self.heads, self._pi = heads, torch.softmax(logits, 1)
        self.z = self.of_class(self._pi, style.z)

    @property
    def probabilities(self) -> Float[Tensor, "B K"]:
        """π."""
        return self._pi

    def rsample(self, k: int = 1) -> Tensor:
        """The code, k times: nothing in it is drawn."""
        return self.z.repeat(k, 1)

    def of_class(self, y: Float[Tensor, "N K"], style: Float[Tensor, "N S"]) -> Float[Tensor, "N Z"]:
        """Put styles about the heads of classes."""
        return y @ self.heads + style
