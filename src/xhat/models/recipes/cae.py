"""Contractive autoencoder: sigmoid units that move little where the input moves little."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.sigmoid import Sigmoid
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.contractive import Contractive


def cae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Contractive autoencoder: sigmoid units that move little where the input moves little.

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
    Rifai et al., "Contractive Auto-Encoders", ICML 2011.
    """
    # A fine scale from the start: at a coarse one the copy counts for little, and the codes are pressed flat first.
    return Recipe(assemble(shape, Sigmoid, Gaussian(0.1, learned=True), latent=latent, **choices), Contractive())
