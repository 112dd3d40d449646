"""Denoising autoencoder: the copy of a spoiled input must be the clean one."""

from __future__ import annotations

from typing import Any

from xhat.core.corruption import Corruption
from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.corruptions.cell_masking import CellMasking
from xhat.parts.corruptions.masking import Masking
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.likelihoods.mixed import Mixed
from xhat.parts.objectives.denoising import Denoising


def dae(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Denoising autoencoder: the copy of a spoiled input must be the clean one.

    Numbers are spoiled by noise; of symbols a quarter is replaced by the first of the vocabulary. Of a mixed table a
    quarter of the cells is hidden, each as a whole: noise on a category's zeros and one would still tell it.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``mixed``, ``options``: see `assemble`.

    References
    ----------
    Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008.
    """
    return Recipe(assemble(shape, Plain, Gaussian(), latent=latent, **choices), Denoising(corruption=_spoiled(choices)))


def _spoiled(choices: dict[str, Any]) -> Corruption | None:
    if choices.get("vocabulary") is not None:
        return Masking()
    if isinstance(columns := choices.get("mixed"), Mixed):
        return CellMasking([max(count, 1) for count in columns.categories])
    return None
