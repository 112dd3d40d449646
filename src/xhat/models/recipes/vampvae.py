"""VampPrior autoencoder: codes are drawn to the posteriors of some learned rows."""

from __future__ import annotations

from typing import Any

from xhat.core.errors import require
from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.priors.vamp import Vamp


def vampvae(shape: Shape, *, latent: int = 16, pseudo_inputs: int = 100, **choices: Any) -> Recipe:
    """VampPrior autoencoder: codes are drawn to the posteriors of some learned rows.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    pseudo_inputs : int, default=100
        How many rows the prior is made of.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Tomczak and Welling, "VAE with a VampPrior", AISTATS 2018.
    """
    symbols = choices.get("vocabulary") is not None
    require(not symbols, "recipes/vampvae", "learns rows, and these hold symbols", hint="use flowvae or vade")

    def prior(code: Shape) -> Vamp:
        return Vamp(code, shape, pseudo_inputs)

    model = assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, prior=prior, **choices)
    return Recipe(model, BetaELBO())
