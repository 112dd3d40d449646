"""Variational autoencoder whose prior is a normalising flow, learned with it."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.priors.flow import Flow


def flowvae(shape: Shape, *, latent: int = 16, layers: int = 6, **choices: Any) -> Recipe:
    """Variational autoencoder whose prior is a normalising flow, learned with it.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    layers : int, default=6
        Of the flow.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Chen et al., "Variational Lossy Autoencoder", ICLR 2017, section 3.2. Dinh et al., "Density Estimation Using Real
    NVP", ICLR 2017, for the layers.
    """

    def prior(code: Shape) -> Flow:
        return Flow(code, layers)

    model = assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, prior=prior, **choices)
    return Recipe(model, BetaELBO())
