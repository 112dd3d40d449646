"""Conditional variational autoencoder: encoder and decoder read the class, so that rows of a class can be drawn."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.beta_elbo import BetaELBO


def cvae(shape: Shape, *, classes: int, latent: int = 16, **choices: Any) -> Recipe:
    r"""Conditional variational autoencoder: encoder and decoder read the class, so that rows of a class can be drawn.

    .. math:: L = E_{q(z|x,y)}[-\log p(x|z,y)] + \mathrm{KL}(q(z|x,y) \| p(z))

    The code need not say the class again: it is left with what differs within one.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    classes : int
        How many classes there are; every row has one.
    latent : int, default=16
        Code dimensions.
    **choices
        ``net``, ``code``, ``likelihood``, ``options``: see `assemble`.

    References
    ----------
    Sohn et al., "Learning Structured Output Representation using Deep Conditional Generative Models", NeurIPS 2015.
    Kingma et al., "Semi-Supervised Learning with Deep Generative Models", NeurIPS 2014, section 2.1.
    """
    judge = Gaussian(learned=True)
    return Recipe(assemble(shape, GaussianBottleneck, judge, latent=latent, classes=classes, **choices), BetaELBO())
