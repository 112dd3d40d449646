"""Adversarial dimension reduction: clusters about learned heads, whose mixture is fitted afterwards."""

from __future__ import annotations

from typing import Self

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.model import Model
from xhat.core.wrapping import Wrapping
from xhat.parts.objectives.adversarial_semi import AdversarialSemi
from xhat.parts.priors.classified import Classified


class AdversarialReduce(Wrapping):
    r"""The games of clusters and of the style, over codes :math:`z = W_C \pi + s`.

    .. math:: L = L_{\mathrm{AdversarialSemi}}(\pi, s) + \mathrm{separation}(W_C)

    The games are about π and s; the separation is the bottleneck's own term, see bottlenecks/cluster_heads. What z
    itself is drawn to depends on the heads, which are learned: the model's prior, as priors/mixture, is fitted to the
    codes at the end.

    Parameters
    ----------
    objective : AdversarialSemi
        The games; with its ``labels`` above 0 the heads are classes.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 7.
    """

    def __init__(self, objective: AdversarialSemi) -> None:
        super().__init__(objective)
        self.shapes_prior, self.shapes_code = False, True

    def check(self, model: Model) -> None:
        """Refuse a prior over a class and a style: it would be one over their sum."""
        hint = "use priors/mixture, or the recipe aae_reduce"
        one = not isinstance(model.prior, Classified)
        require(one, "AdversarialReduce", "needs a prior over the sum of head and style", "Classified", hint)

    def changed(self, batch: Batch) -> Batch:
        """Leave the batch as it is."""
        return batch

    @classmethod
    def example(cls) -> Self:
        """Two classes beside a style of one number."""
        return cls(AdversarialSemi.example())
