"""Vector-quantised autoencoder: the code is made of entries of a learned codebook."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.quantised import quantised, vectors_of
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.vq import VQ


def vqvae(shape: Shape, *, latent: int = 16, entries: int = 512, groups: int | None = None, **choices: Any) -> Recipe:
    """Vector-quantised autoencoder: the code is made of entries of a learned codebook.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions; of a spatial code, at every place of its grid.
    entries : int, default=512
        Of the codebook.
    groups : int, optional
        How many vectors the dimensions are. By default one at every place of a spatial code; of a flat one as many
        as leave them four numbers, or the next more that it divides into. By path, change ``bottleneck.groups`` and
        ``prior.groups`` together.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Van den Oord et al., "Neural Discrete Representation Learning", NeurIPS 2017. Fifty et al., "Restructuring Vector
    Quantization with the Rotation Trick", ICLR 2025, for the gradient.
    """

    def vectors(code_shape: Shape) -> int:
        return vectors_of(code_shape) if groups is None else groups

    def bottleneck(code_shape: Shape) -> VQ:
        return VQ(code_shape, entries, groups=vectors(code_shape))

    return quantised(shape, bottleneck, vectors, latent=latent, **choices)
