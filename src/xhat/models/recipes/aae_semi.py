"""Semi-supervised adversarial autoencoder: classes from few labels, beside a style."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.clusters import Clusters
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.adversarial_semi import AdversarialSemi
from xhat.parts.priors.classified import Classified as ClassifiedPrior
from xhat.parts.priors.normal import Normal


def aae_semi(shape: Shape, *, classes: int, latent: int = 16, **choices: Any) -> Recipe:
    """Semi-supervised adversarial autoencoder: classes from few labels, beside a style.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    classes : int
        How many classes there are; counted where the data has labels.
    latent : int, default=16
        Dimensions of the style; the code has `classes` more, before it.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 5.
    """

    def bottleneck(style: Shape) -> Clusters:
        return Clusters(classes, Plain(style))

    def prior(_: Shape) -> ClassifiedPrior:
        return ClassifiedPrior(classes, Normal((latent,)))

    model = assemble(shape, bottleneck, Gaussian(learned=True), latent=latent, prior=prior, **choices)
    of_class, of_style = (MLPEncoder((n,), (1,), hidden=(256, 256), activation="relu") for n in (classes, latent))
    # Against hundreds of nats of distortion a label would not be heard.
    return Recipe(model, AdversarialSemi(of_class, of_style, class_weight=10.0, style_weight=10.0, labels=100.0))
