"""Masked autoencoder for distribution estimation: each element from those before it, with exact probabilities."""

from __future__ import annotations

from typing import Any

from xhat.core.errors import require
from xhat.core.shapes import Shape
from xhat.models.assemble import Net, assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.objectives.reconstruction import Reconstruction


def made(shape: Shape, *, latent: int = 512, net: Net = "made", **choices: Any) -> Recipe:
    """Masked autoencoder for distribution estimation: each element from those before it, with exact probabilities.

    The distortion is the exact -log p(x) of rows of 0 and 1, in nats. Of values between, which a Bernoulli reads as
    probabilities, it is a cross-entropy and no density: choose ``likelihood="gaussian"`` there.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=512
        Width of the masked layer that is the code; since it copies nothing, it may be wider than a row.
    net : str
        "made": no other gives exact probabilities.
    **choices
        ``likelihood``, ``options``: see `assemble`.

    References
    ----------
    Germain et al., "MADE: Masked Autoencoder for Distribution Estimation", ICML 2015.
    """
    hint = "use flowvae for the density of such a table"
    require(choices.get("mixed") is None, "recipes/made", "reads no categories, which take several elements", hint=hint)
    require(net == "made", "recipes/made", "needs nets/made", f"'{net}'", "leave --net out")
    return Recipe(assemble(shape, Plain, Bernoulli(), latent=latent, net=net, **choices), Reconstruction())
