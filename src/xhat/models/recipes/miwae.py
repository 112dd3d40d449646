"""Missing data importance-weighted autoencoder: learns from rows with gaps, and fills them."""

from __future__ import annotations

from typing import Any

from xhat.core.shapes import Shape
from xhat.models.assemble import assemble
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.student_t import StudentT
from xhat.parts.objectives.miwae import MIWAE


def miwae(shape: Shape, *, latent: int = 16, k: int = 20, **choices: Any) -> Recipe:
    """Missing data importance-weighted autoencoder: learns from rows with gaps, and fills them.

    Data with gaps is opened with ``missing=True`` (``--missing``); `xhat.metrics.imputation` fills them afterwards.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    latent : int, default=16
        Code dimensions.
    k : int, default=20
        Draws a row.
    **choices
        ``net``, ``code``, ``likelihood``, ``vocabulary``, ``options``: see `assemble`.

    References
    ----------
    Mattei and Frellsen, "MIWAE: Deep Generative Modelling and Imputation of Incomplete Data Sets", ICML 2019.
    """
    return Recipe(assemble(shape, Gaussian, StudentT(), latent=latent, **choices), MIWAE(k))
