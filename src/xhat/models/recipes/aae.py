"""Adversarial autoencoder: a critic draws the codes to the prior."""

from __future__ import annotations

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.adversarial import Adversarial


def aae(shape: Shape, *, latent: int = 16, net: str = "mlp") -> Recipe:
    """Adversarial autoencoder: a critic draws the codes to the prior.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    net : str, default="mlp"
        A file of `parts/nets`.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015.
    """
    critic = MLPEncoder((latent,), (1,), hidden=(256, 256), activation="relu")
    return Recipe(assemble(shape, Plain((latent,)), Gaussian(), net), Adversarial(critic))
