"""VAE/GAN: a copy is judged by what a discriminator sees in it."""

from __future__ import annotations

from typing import Any

from xhat.core.errors import require
from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.conv import ConvEncoder
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.vaegan import VAEGAN

FEATURES = 128


def vaegan(shape: Shape, *, latent: int = 16, **choices: Any) -> Recipe:
    """VAE/GAN: a copy is judged by what a discriminator sees in it.

    The discriminator is convolutional where the net is, and of dense layers otherwise.

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
    Larsen et al., "Autoencoding beyond Pixels Using a Learned Similarity Metric", ICML 2016.
    """
    symbols = choices.get("vocabulary") is not None
    require(not symbols, "recipes/vaegan", "judges numbers, and these rows hold symbols", hint="use vae or aae")
    model = assemble(shape, GaussianBottleneck, Gaussian(0.1), latent=latent, **choices)
    convolves = choices.get("net") in ("conv", "deconv", "resnet")
    features = ConvEncoder(shape, (FEATURES,)) if convolves else MLPEncoder(shape, (FEATURES,), hidden=(256,))
    return Recipe(model, VAEGAN(features, MLPEncoder((FEATURES,), (1,), hidden=(64,))))
