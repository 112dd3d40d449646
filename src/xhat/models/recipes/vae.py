"""Variational autoencoder: the evidence lower bound, with a Gaussian likelihood whose scale is learned."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.beta_elbo import BetaELBO


def vae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Variational autoencoder: the evidence lower bound, with a Gaussian likelihood whose scale is learned.

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
    Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014. Rybkin et al., "Simple and Effective VAE
    Training with Calibrated Decoders", ICML 2021, for the learned scale.
    """
    return Recipe(assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, **choices), BetaELBO())
