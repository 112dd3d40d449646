"""Autoencoder with lookup-free quantisation: each number of the code is a sign."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.quantised import quantised
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.lfq import LFQ

# Of a flat code's word: all 16 words occur in any data of usual size.
BITS = 4


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
    return quantised(shape, LFQ, _words, latent=latent, **choices)


def _words(code_shape: Shape) -> int:
    """Count a code's words of at most `BITS`: longer ones would rarely come twice, and the prior draw seen rows."""
    if len(code_shape) > 1:
        return 1
    bits = max(d for d in range(1, BITS + 1) if code_shape[0] % d == 0)
    return code_shape[0] // bits
