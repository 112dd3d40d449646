"""InfoVAE: a variational autoencoder that keeps more of the row in its code, matched to the prior as a whole."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.info import Info


def infovae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """InfoVAE: a variational autoencoder that keeps more of the row in its code, matched to the prior as a whole.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Zhao et al., "InfoVAE: Balancing Learning and Inference in Variational Autoencoders", AAAI 2019.
    """
    return Recipe(assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, **choices), Info())
