"""Autoencoder with lookup-free quantisation: each number of the code is a sign."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.quantised import quantised
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.lfq import LFQ


def lfq(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Autoencoder with lookup-free quantisation: each number of the code is a sign.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Bits of the code, at most 62; of a spatial code, at every place of its grid.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Yu et al., "Language Model Beats Diffusion: Tokenizer is Key to Visual Generation", ICLR 2024.
    """
    return quantised(shape, LFQ, latent=latent, **choices)
