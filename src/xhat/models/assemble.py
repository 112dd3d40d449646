"""Putting a model together from the names of its parts."""

from __future__ import annotations

from xhat.core.bottleneck import Bottleneck
from xhat.core.catalogue import find
from xhat.core.likelihood import Likelihood
from xhat.core.shapes import Shape
from xhat.models.autoencoder import Autoencoder


def assemble(shape: Shape, bottleneck: Bottleneck, likelihood: Likelihood, net: str = "mlp") -> Autoencoder:
    """Build the encoder and the mirrored decoder of `net` around a bottleneck.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    bottleneck : Bottleneck
        With the code's shape.
    likelihood : Likelihood
        p(x|z).
    net : str
        A file of `parts/nets`.
    """
    encoder = find(f"nets/{net}.encoder")(shape, bottleneck.in_shape)
    decoder = find(f"nets/{net}.decoder")(bottleneck.code_shape, likelihood.params(shape))
    return Autoencoder(encoder, bottleneck, decoder, likelihood)
