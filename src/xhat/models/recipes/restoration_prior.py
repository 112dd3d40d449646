"""Restoration prior: a bias-free denoiser of photographs, at any strength of noise, gray and colour."""

from __future__ import annotations

from typing import Any

from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape
from xhat.models.assemble import Net, assemble
from xhat.models.habits import Habits
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.objectives.noise_levels import NoiseLevels
from xhat.parts.objectives.symmetries import Symmetries

# The batch and the rate were chosen on photographs of other sets than those that the prior is measured on. No decay:
# weights of a homogeneous net have a scale that means something, and noise is fresh in every step. At a peak rate of
# 1e-3 the net, which nothing normalises, went out of bounds in the second epoch.
HABITS = Habits(
    folders={"tiles": 64},
    settings={
        "epochs": 16,
        "batch_size": 16,
        "lr": 4e-4,
        "weight_decay": 0.0,
        "clip": 2.0,
        "patience": 16,
        "precision": "auto",
    },
)


def restoration_prior(
    shape: Shape, *, latent: int = 4, net: Net = "denoiser", code: str = "spatial", gray: float = 0.5, **choices: Any
) -> Recipe:
    """Restoration prior: a bias-free denoiser of photographs, at any strength of noise, gray and colour.

    Photographs become tiles of 64 x 64 pixels. One net serves both: half of the colour tiles are shown gray, three
    times the luminance with three times the same noise.

    Parameters
    ----------
    shape : tuple of int
        Of one tile, (C, H, W).
    latent, code
        Are the net's: a code is the tile itself and a map of its noise.
    net : str, default="denoiser"
        A net that is told the strength of the noise.
    gray : float, default=0.5
        The share of colour tiles that are shown gray.
    **choices
        ``likelihood``, ``options``: see `assemble`.

    References
    ----------
    Bigdeli and Zwicker, "Image Restoration using Autoencoding Priors", 2017. Mohan et al., "Robust and Interpretable
    Blind Image Denoising via Bias-Free Convolutional Neural Networks", ICLR 2020.
    """
    hint = "give a folder of photographs"
    require(len(shape) == 3, "restoration_prior", "needs images", f"rows of {shape}", hint, error=ShapeError)
    model = assemble(shape, Plain, Gaussian(), latent=shape[0] + 1, net=net, code="spatial", **choices)
    return Recipe(model, Symmetries(NoiseLevels(gray=gray if shape[0] == 3 else 0.0)))
