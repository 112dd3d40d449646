"""Variational autoencoder of a given capacity: its code carries as many nats as it is told."""

from __future__ import annotations

from typing import Any

from xhat.core.schedule import Coefficient
from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.capacity import Capacity


def capacityvae(shape: Shape, *, latent: int = 16, capacity: Coefficient = 25.0, **choices: Any) -> Recipe:
    """Variational autoencoder of a given capacity: its code carries as many nats as it is told.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    capacity : float or Schedule, default=25.0
        In nats; ``linear(0, 25, epochs=50)`` opens the code slowly, as the paper does.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Burgess et al., "Understanding disentangling in beta-VAE", 2018.
    """
    model = assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, **choices)
    return Recipe(model, Capacity(capacity))
