"""Sparse autoencoder whose units have thresholds of their own, learned to reach a given sparsity."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import Net, assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.jump_relu import JumpReLU
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.revival import Revival


def sae_jump(
    shape: Shape, *, latent: int = 512, target: float | None = None, net: Net = "linear", **choices: Any
) -> Recipe:
    """Sparse autoencoder whose units have thresholds of their own, learned to reach a given sparsity.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=512
        Words of the dictionary, several times a row's elements.
    target : float, optional
        Active units a row, on average: by default 16, of a small dictionary a quarter. Elsewhere it is
        ``bottleneck.target``.
    net : str or pair, default="linear"
        Of a linear decoder, the words are its columns.
    **choices
        ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Rajamanoharan et al., "Jumping Ahead: Improving Reconstruction Fidelity with JumpReLU Sparse Autoencoders", 2024.
    """
    aim = min(16.0, latent / 4) if target is None else target
    model = assemble(shape, lambda code: JumpReLU(code, aim), Gaussian(learned=True), latent=latent, net=net, **choices)
    return Recipe(model, Revival())
