"""Factor variational autoencoder: a critic presses the code's dimensions to be independent."""

from __future__ import annotations

from typing import Any

from xhat.core.schedule import Coefficient
from xhat.core.shapes import Shape, size
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian as GaussianBottleneck
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.factor import Factor


def factorvae(shape: Shape, *, latent: int = 16, gamma: Coefficient = 10.0, **choices: Any) -> Recipe:
    """Factor variational autoencoder: a critic presses the code's dimensions to be independent.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    gamma : float or Schedule, default=10.0
        Weight of the total correlation.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Kim and Mnih, "Disentangling by Factorising", ICML 2018.
    """
    model = assemble(shape, GaussianBottleneck, Gaussian(learned=True), latent=latent, **choices)
    critic = MLPEncoder((size(model.code_shape),), (1,), hidden=(256, 256, 256), activation="relu")
    return Recipe(model, Factor(critic, gamma))
