"""Adversarial autoencoder: a critic draws the codes to the prior."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape, size
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.adversarial import Adversarial


def aae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Adversarial autoencoder: a critic draws the codes to the prior.

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
    Makhzani et al., "Adversarial Autoencoders", 2015.
    """
    model = assemble(shape, Plain, Gaussian(learned=True), latent=latent, **choices)
    critic = MLPEncoder((size(model.code_shape),), (1,), hidden=(256, 256), activation="relu")
    return Recipe(model, Adversarial(critic))
