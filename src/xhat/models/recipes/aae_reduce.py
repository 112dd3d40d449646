"""Dimension reduction by an adversarial autoencoder: clusters about learned heads."""

from __future__ import annotations

from typing import Any

from xhat.core.errors import require
from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.cluster_heads import ClusterHeads
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.adversarial_reduce import AdversarialReduce
from xhat.parts.objectives.adversarial_semi import AdversarialSemi
from xhat.parts.priors.mixture import Mixture


def aae_reduce(shape: Shape, *, clusters: int = 20, latent: int = 2, **choices: Any) -> Recipe:
    """Dimension reduction by an adversarial autoencoder: clusters about learned heads.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    clusters : int, default=20
        How many heads there are.
    latent : int, default=2
        Code dimensions: the heads' and the style's.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 7.
    """
    flat = choices.get("code", "flat") == "flat"
    require(flat, "recipes/aae_reduce", "needs a flat code", "a spatial one", "its heads are vectors: --code flat")

    def bottleneck(code: Shape) -> ClusterHeads:
        return ClusterHeads(clusters, code[0])

    def prior(code: Shape) -> Mixture:
        return Mixture(code, clusters)

    model = assemble(shape, bottleneck, Gaussian(learned=True), latent=latent, prior=prior, **choices)
    of_class, of_style = (MLPEncoder((n,), (1,), hidden=(256, 256), activation="relu") for n in (clusters, latent))
    games = AdversarialSemi(of_class, of_style, class_weight=10.0, style_weight=10.0, labels=0.0, labelled_share=0.0)
    return Recipe(model, AdversarialReduce(games))
