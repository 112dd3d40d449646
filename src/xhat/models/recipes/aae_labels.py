"""Adversarial autoencoder with labels in the critic: each class is drawn to a petal of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xhat.core.errors import require
from xhat.core.prior import Prior
from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.adversarial_labels import AdversarialLabels
from xhat.parts.priors.petals import Petals
from xhat.parts.priors.swiss_roll import SwissRoll

PRIORS: dict[str, Callable[[int], Prior]] = {"petals": Petals, "swiss_roll": SwissRoll}


def aae_labels(shape: Shape, *, classes: int, latent: int = 2, prior: str = "petals", **choices: Any) -> Recipe:
    """Adversarial autoencoder with labels in the critic: each class is drawn to a petal of its own.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    classes : int
        How many classes there are; counted where the data has labels.
    latent : int, default=2
        Code dimensions: 2, for these priors lie in the plane.
    prior : {"petals", "swiss_roll"}
        A petal or an arc a class.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 2.3.
    """
    require(latent == 2, "recipes/aae_labels", "latent must be 2", latent, "its priors lie in the plane: --latent 2")
    require(prior in PRIORS, "recipes/aae_labels", f"prior must be one of {', '.join(PRIORS)}", f"'{prior}'")
    flat = choices.get("code", "flat") == "flat"
    require(
        flat, "recipes/aae_labels", "needs a flat code", "a spatial one", "its priors are of the plane: --code flat"
    )

    def p(_: Shape) -> Prior:
        return PRIORS[prior](classes)

    model = assemble(shape, Plain, Gaussian(learned=True), latent=latent, prior=p, **choices)
    critic = MLPEncoder((latent + classes + 1,), (1,), hidden=(256, 256), activation="relu")
    return Recipe(model, AdversarialLabels(critic, classes, weight=10.0))
