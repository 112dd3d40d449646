"""Filling gaps: the mean of what is missing given what was observed, and draws of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.data_distribution import DataDistribution
from xhat.core.errors import ConfigError, DataError, require
from xhat.core.gaussian_code import GaussianCode
from xhat.core.importance import log_weights
from xhat.core.posterior import Posterior
from xhat.core.shapes import spread
from xhat.models.autoencoder import Autoencoder
from xhat.parts.likelihoods.categorical import Categorical
from xhat.parts.likelihoods.matched import Matched
from xhat.parts.objectives.miwae import without_gaps

# Draws decoded at once, as in `log_evidence`.
TOGETHER = 2048
# The least log w: where all of a row's are lower, or no number, its draws count alike, and q alone speaks.
LOWEST = -1e12


@torch.no_grad()
def impute(
    model: Autoencoder, batch: Batch, k: int = 1000, *, noise: Float[Tensor, "k *Z"] | None = None
) -> Float[Tensor, "B *X"]:
    r"""Fill the gaps of rows with the mean of what may stand there: single imputation.

    .. math:: E[x_m | x_o] \approx \sum_{i=1}^k \tilde w_i\, E[x_m | z_i], \quad
              w_i = \frac{p(x_o|z_i)\, p(z_i)}{q(z_i|x_o)}, \quad z_i \sim q(z|x_o)

    with :math:`\tilde w_i = w_i / \sum_j w_j`. It minimises the expected squared error, and is exact as k rises.
    Memory does not grow with k.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode, with a bottleneck that emits a distribution. Rows of symbols have no mean: `impute_draws`
        fills them.
    batch : Batch
        Scaled rows with their mask, as `Fitted.batches` gives them.
    k : int, default=1000
        Draws a row.
    noise : Tensor of shape (k, *Z), optional
        Of Gaussian codes, standard normal: :math:`z_i = \mu + \sigma \epsilon_i` with the same :math:`\epsilon_i` for
        every row, whose answer then does not depend on the rows beside it. By default it is drawn.

    Returns
    -------
    Tensor of shape (B, *X)
        Scaled rows; what was observed stays as it is.

    References
    ----------
    Mattei and Frellsen, "MIWAE", ICML 2019, eq. 9.
    """
    symbols = any(isinstance(part, Categorical) for part in model.likelihood.modules())
    hint = "fill the gaps of symbols with impute_draws"
    require(not symbols, "impute", "needs rows of numbers, whose mean can stand in a gap", "symbols", hint)
    highest = torch.full((len(batch),), -torch.inf, device=batch.x.device, dtype=torch.float64)
    total, mean = torch.zeros_like(highest, dtype=batch.x.dtype), torch.zeros_like(batch.x)
    for log_w, data in _draws(model, batch, k, noise):
        top = torch.maximum(highest, log_w.amax(0))  # (B,)
        before, w = torch.exp(highest - top).to(mean.dtype), torch.exp(log_w - top).to(mean.dtype)  # (B,), (k, B)
        sums = torch.einsum("kb,kb...->b...", w, data.mean.unflatten(0, log_w.shape))
        mean = mean * spread(before, mean) + sums
        total, highest = total * before + w.sum(0), top
    return _filled(batch, mean / spread(total, mean))


@torch.no_grad()
def impute_draws(model: Autoencoder, batch: Batch, draws: int = 10, k: int = 1000) -> Float[Tensor, "M B *X"]:
    r"""Fill the gaps of rows several times with what may stand there: multiple imputation.

    By sampling importance resampling: of k draws :math:`z_i` of a row each filled row takes one with probability
    :math:`\tilde w_i`, and then :math:`x_m \sim p(x_m|z_i)`. What differs between them is what is not known.

    Parameters
    ----------
    model, batch, k
        See `impute`.
    draws : int, default=10
        M, how many filled copies of each row.

    Returns
    -------
    Tensor of shape (M, B, *X)
        Scaled rows; what was observed is the same in all.

    References
    ----------
    Mattei and Frellsen, "MIWAE", ICML 2019, section 3.3; Gumbel's trick, by which parts of draws can come one after the
    other: the largest of log w + g, g ~ Gumbel, is a draw by w.
    """
    whole = isinstance(draws, int | np.integer) and not isinstance(draws, bool) and draws >= 1
    require(whole, "impute_draws", "draws must be a whole number >= 1", draws, "10 show how sure the model is")
    best = torch.full((draws, len(batch)), -torch.inf, device=batch.x.device, dtype=torch.float64)
    kept = torch.zeros((draws, *batch.x.shape), device=batch.x.device, dtype=batch.x.dtype)
    for log_w, data in _draws(model, batch, k):
        uniform = torch.rand((draws, *log_w.shape), device=log_w.device, dtype=log_w.dtype)
        tiny = torch.finfo(log_w.dtype).tiny
        score, place = (log_w - torch.log(-torch.log(uniform.clamp(min=tiny)))).max(1)  # (M, B)
        for m in range(draws):
            x = data.sample().unflatten(0, log_w.shape)[place[m], torch.arange(len(batch))]  # (B, *X)
            kept[m] = torch.where(spread(score[m] > best[m], x), x, kept[m])
        best = torch.maximum(best, score)
    return torch.stack([_filled(batch, x) for x in kept])


def _draws(
    model: Autoencoder, batch: Batch, k: int, noise: Tensor | None = None
) -> Iterator[tuple[Float[Tensor, "k B"], DataDistribution]]:
    """Give k draws in parts: their log w in float64, and what the decoder says of them."""
    require(k >= 1, "impute", "k must be >= 1", k, "1000 is usual")
    matched = any(isinstance(part, Matched) for part in model.likelihood.modules())
    hint = "use a net that keeps the elements' order, such as nets/recurrent"
    require(not matched, "impute", "needs elements in order, and a set has none", "likelihoods/matched", hint)
    batch = without_gaps(batch)
    code = model.encode(batch)
    if not isinstance(code, Posterior):
        hint = "use a model whose bottleneck emits a distribution, such as kind miwae"
        raise ConfigError("impute", "needs codes that are distributions", type(code).__name__, hint)
    if noise is not None:
        rule = "given noise is for Gaussian codes, k of it"
        fits = isinstance(code, GaussianCode) and len(noise) == k
        require(fits, "impute", rule, f"{len(noise)} for {type(code).__name__}", "leave noise out")
    part = max(1, TOGETHER // len(batch))
    for done in range(0, k, part):
        count = min(part, k - done)
        if noise is None:
            z = code.rsample(count)  # (k*B, *Z)
        else:
            gaussian = cast(GaussianCode, code)
            z = (gaussian.mean + gaussian.std * noise[done : done + count, None]).flatten(0, 1)
        log_w, data = log_weights(model, batch, code, z)
        yield log_w.double().nan_to_num(nan=LOWEST).clamp(min=LOWEST), data


def _filled(batch: Batch, x: Tensor) -> Tensor:
    if batch.mask is None:
        return batch.x
    filled = torch.where(spread(batch.mask, x), batch.x, x)
    rows = int((~filled.isfinite().flatten(1).all(1)).sum())
    rule = "needs rows that are not too far from those of training for the model's numbers"
    require(not rows, "impute", rule, f"{rows} that are", "clip or drop them, or give float64", error=DataError)
    return filled
