"""Clustering adversarial autoencoder: classes that nobody named, beside a style."""

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


def aae_cluster(shape: Shape, *, clusters: int = 16, latent: int = 16, **choices: Any) -> Recipe:
    """Clustering adversarial autoencoder: classes that nobody named, beside a style.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    clusters : int, default=16
        How many there are. The first entries of a code are their probabilities.
    latent : int, default=16
        Dimensions of the style. Few leave more to the clusters.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 6.
    """

    def bottleneck(style: Shape) -> Clusters:
        return Clusters(clusters, Plain(style))

    def prior(_: Shape) -> ClassifiedPrior:
        return ClassifiedPrior(clusters, Normal((latent,)), named=False)

    model = assemble(shape, bottleneck, Gaussian(learned=True), latent=latent, prior=prior, **choices)
    of_class, of_style = (MLPEncoder((n,), (1,), hidden=(256, 256), activation="relu") for n in (clusters, latent))
    objective = AdversarialSemi(
        of_class, of_style, class_weight=10.0, style_weight=10.0, labels=0.0, labelled_share=0.0
    )
    return Recipe(model, objective)
