"""Regularised autoencoder: short codes, and a decoder whose layers stretch nothing."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.spectral import SpectralDecoder
from xhat.parts.objectives.rae import RAE


def rae_spectral(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """Regularised autoencoder: short codes, and a decoder whose layers stretch nothing.

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
    Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020: RAE-SN.
    """
    # A fine scale from the start: at a coarse one the copy counts for little, and the codes are pressed flat first.
    m = assemble(shape, Plain, Gaussian(0.1, learned=True), latent=latent, **choices)
    model = Autoencoder(m.encoder, m.bottleneck, SpectralDecoder(m.decoder), m.likelihood, m.prior)
    # A small β: what the decoder cannot stretch, the codes themselves must reach.
    return Recipe(model, RAE(0.1, decay=0.0))
