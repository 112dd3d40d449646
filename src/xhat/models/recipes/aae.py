"""Adversarial autoencoder: a critic draws the codes to the prior."""

from __future__ import annotations

from typing import Any

from xhat.core.errors import require
from xhat.core.shapes import Shape, size
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.bottlenecks.implicit import Implicit
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.adversarial import Adversarial

POSTERIORS = {"deterministic": Plain, "gaussian": GaussianBottleneck, "implicit": Implicit}


def aae(shape: Shape, *, latent: int = 16, posterior: str = "deterministic", **choices: Any) -> Recipe:
    """Adversarial autoencoder: a critic draws the codes to the prior.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    posterior : {"deterministic", "gaussian", "implicit"}
        What the encoder says of a row: a point, a Gaussian, or a distribution of any form.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015; section 2 for the posteriors.
    """
    rule = f"posterior must be one of {', '.join(POSTERIORS)}"
    require(posterior in POSTERIORS, "recipes/aae", rule, f"'{posterior}'", "use deterministic for a point")
    model = assemble(shape, POSTERIORS[posterior], Gaussian(learned=True), latent=latent, **choices)
    critic = MLPEncoder((size(model.code_shape),), (1,), hidden=(256, 256), activation="relu")
    return Recipe(model, Adversarial(critic))
