"""Ordered autoencoder: nested dropout, after which any prefix of a code is a code."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.ordered import Ordered
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.reconstruction import Reconstruction


def ordered(shape: Shape, *, latent: int = 16, rate: float = 1.0, **choices: Any) -> Recipe:
    """Ordered autoencoder: nested dropout, after which any prefix of a code is a code.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    rate : float, default=1.0
        Of the lengths of prefixes; 1 for all alike. Elsewhere it is ``bottleneck.rate``.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Rippel, Gelbart and Adams, "Learning Ordered Representations with Nested Dropout", ICML 2014.
    """
    model = assemble(shape, lambda code: Ordered(code, rate), Gaussian(), latent=latent, **choices)
    return Recipe(model, Reconstruction())
