"""A warm start for rows with gaps: training begins at factor analysis.

Exactly there where the likelihood is a Gaussian whose scale is that of the noise; a Student's t of the same variance
weighs draws with heavier tails, and so begins nearly there.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor

from xhat.core.component import build, config
from xhat.core.encoder import Encoder
from xhat.core.errors import require
from xhat.core.gaussian_code import GaussianCode
from xhat.core.shapes import size
from xhat.engine.randomness import private_randomness
from xhat.metrics.factor_analysis import FactorAnalysis
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.likelihoods.student_t import StudentT
from xhat.parts.nets.factor_path import FactorPathDecoder, FactorPathEncoder
from xhat.runs.plan import Plan

# What a Student-t decoder says at first of each tail, as softplus reads it: ν about 6 above a lowest of 3.
TAIL = 3.0


def with_factor_path(model: Autoencoder) -> Autoencoder:
    """Put the factors of a row beside a model's encoder and decoder.

    Parameters
    ----------
    model : Autoencoder
        Of rows of numbers, with flat Gaussian codes and a net of one axis that has a last layer.

    Raises
    ------
    ConfigError
        When the path has no place in it.
    """
    description = config(model.encoder)
    fits = (
        len(model.x_shape) == len(model.code_shape) == 1
        and model.bottleneck.emits is GaussianCode
        and isinstance(model.likelihood, Gaussian | StudentT)
        and "in_shape" in description
        and hasattr(model.encoder, "last")
    )
    came = f"{type(model.encoder).__name__}, {type(model.bottleneck).__name__}, {type(model.likelihood).__name__}"
    rule = "needs rows and codes of one axis, Gaussian codes, a likelihood of locations and a net with a last layer"
    require(fits, "init=factors", rule, came, "use init='random'")
    reads = size(model.code_shape) + 2 * size(model.x_shape)  # the factors, the row, and what is there of it
    inner = cast(Encoder, build(description | {"in_shape": [reads]}))
    return Autoencoder(
        FactorPathEncoder(inner), model.bottleneck, FactorPathDecoder(model.decoder), model.likelihood, model.prior
    )


@torch.no_grad()
def start_at_factors(model: Autoencoder, factors: FactorAnalysis) -> None:
    """Set a model's path, and the scales that its likelihood begins with.

    Parameters
    ----------
    model : Autoencoder
        From `with_factor_path`.
    factors : FactorAnalysis
        Of scaled training rows, as many as the code has dimensions.
    """
    mean, loadings, noise = factors.mean, factors.loadings, factors.noise
    cast(FactorPathEncoder, model.encoder).start(mean, loadings, noise)
    likelihood: Any = model.likelihood
    if isinstance(likelihood, StudentT):
        still = torch.zeros_like(loadings)
        # A t of ν has more variance than its scale's square, by ν / (ν - 2).
        tail = likelihood.tail + math.log1p(math.exp(TAIL))
        scale = (noise * (tail - 2) / tail).sqrt() if tail > 2 else noise.sqrt()
        loadings = torch.cat([loadings, still, still])
        mean = torch.cat([mean, _softplus_of(scale - likelihood.smallest), torch.full_like(mean, TAIL)])
    elif likelihood.learned:
        likelihood.log_scale.fill_(0.5 * float(noise.mean().log()))
    cast(FactorPathDecoder, model.decoder).start(loadings, mean)


def begun_at_factors(plan: Plan) -> Plan:
    """Let a plan's training begin at factor analysis of its scaled training rows."""
    batch = plan.data.batch(plan.data.few(plan.split.train))
    scaled = plan.scaling(batch.x)
    x = scaled if batch.mask is None else scaled.masked_fill(~batch.mask, torch.nan)
    with private_randomness(plan.settings.seed):
        model = with_factor_path(plan.recipe.model)
    (code,) = model.code_shape
    start_at_factors(model, FactorAnalysis.fit(x, code))
    return replace(plan, recipe=Recipe(model, plan.recipe.objective), origin=plan.origin | {"init": "factors"})


def _softplus_of(y: Tensor) -> Tensor:
    return torch.log(torch.expm1(y.clamp(min=1e-6)))
