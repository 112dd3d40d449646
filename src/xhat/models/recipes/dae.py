"""Denoising autoencoder: the copy of a spoiled input must be the clean one."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.corruptions.masking import Masking
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.denoising import Denoising


def dae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Denoising autoencoder: the copy of a spoiled input must be the clean one.

    Numbers are spoiled by noise; of symbols a quarter is replaced by the first of the vocabulary.

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
    Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008.
    """
    symbols = choices.get("vocabulary") is not None
    objective = Denoising(corruption=Masking() if symbols else None)
    return Recipe(assemble(shape, Plain, Gaussian(), latent=latent, **choices), objective)
