"""Autoencoder: the copy itself, by squared error."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.reconstruction import Reconstruction


def ae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Autoencoder: the copy itself, by squared error.

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
    Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 2006.
    """
    return Recipe(assemble(shape, Plain, Gaussian(), latent=latent, **choices), Reconstruction())
