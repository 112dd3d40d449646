"""Sinkhorn autoencoder: codes as a whole are matched to the prior by optimal transport."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.sinkhorn import Sinkhorn


def sinkhorn(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Sinkhorn autoencoder: codes as a whole are matched to the prior by optimal transport.

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
    Patrini et al., "Sinkhorn AutoEncoders", UAI 2019.
    """
    return Recipe(assemble(shape, Plain, Gaussian(learned=True), latent=latent, **choices), Sinkhorn())
