"""Variational deep embedding: clusters of codes, found without labels and learned with the model."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.vade import VaDE
from xhat.parts.priors.mixture import Mixture


def vade(shape: Shape, *, latent: int = 10, clusters: int = 10, **choices: Any) -> Recipe:
    """Variational deep embedding: clusters of codes, found without labels and learned with the model.

    Which cluster a code is of, ``model.prior.responsibilities(z)`` says.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=10
        Code dimensions.
    clusters : int, default=10
        How many there are.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Jiang et al., "Variational Deep Embedding: An Unsupervised and Generative Approach to Clustering", IJCAI 2017.
    """

    def prior(code: Shape) -> Mixture:
        return Mixture(code, clusters)

    model = assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, prior=prior, **choices)
    return Recipe(model, VaDE(model.code_shape))
