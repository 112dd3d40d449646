"""Semi-supervised variational autoencoder: classes from few labels, and a style beside them."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.classified import Classified
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.m2 import M2
from xhat.parts.priors.classified import Classified as ClassifiedPrior
from xhat.parts.priors.normal import Normal


def m2(shape: Shape, *, classes: int, latent: int = 16, **choices: Any) -> Recipe:
    """Semi-supervised variational autoencoder: classes from few labels, and a style beside them.

    Rows without a label have -1. A code is the classes' probabilities, then the style: the predicted class is the
    largest of its first numbers.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    classes : int
        How many classes there are.
    latent : int, default=16
        Dimensions of the style.
    **choices
        ``net``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Kingma et al., "Semi-Supervised Learning with Deep Generative Models", NeurIPS 2014, model M2.
    """

    def bottleneck(style: Shape) -> Classified:
        return Classified(classes, GaussianBottleneck(style))

    def prior(_: Shape) -> ClassifiedPrior:
        return ClassifiedPrior(classes, Normal((latent,)))

    return Recipe(assemble(shape, bottleneck, Gaussian(learned=True), latent=latent, prior=prior, **choices), M2())
