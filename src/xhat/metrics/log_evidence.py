"""log p(x), estimated by importance sampling."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import ConfigError, require
from xhat.core.importance import log_weights
from xhat.core.posterior import Posterior
from xhat.models.autoencoder import Autoencoder

# Draws decoded at once: few enough for the processor's cache, enough to keep its products large.
TOGETHER = 2048


@torch.no_grad()
def log_evidence(model: Autoencoder, batch: Batch, k: int = 5000) -> Float[Tensor, "B"]:
    r"""Estimate log p(x) of rows in nats, from below.

    .. math:: \log p(x) \ge E\Big[\log \frac1k \sum_{i=1}^k \frac{p(x|z_i)\, p(z_i)}{q(z_i|x)}\Big], \quad
              z_i \sim q(z|x)

    Rows are encoded once, their draws are decoded in parts: memory does not grow with k. The estimate rises with k
    and is exact in the limit.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode, with a bottleneck that emits a distribution and a likelihood that is a density of x.
    batch : Batch
        Scaled rows.
    k : int, default=5000
        Draws a row.

    Returns
    -------
    Tensor of shape (B,)
        In nats.

    References
    ----------
    Burda et al., "Importance Weighted Autoencoders", ICLR 2016, section 5: k = 5000.
    """
    require(k >= 1, "log_evidence", "k must be >= 1", k, "5000 is usual")
    kind, hint = type(model.likelihood).__name__, "compare models by metrics.reconstruction_error instead"
    require(model.likelihood.normalised, "log_evidence", "needs a likelihood that is a density of x", kind, hint)
    code = model.encode(batch)
    if not isinstance(code, Posterior):
        hint = "use a model whose bottleneck emits a distribution"
        raise ConfigError("log_evidence", "needs codes that are distributions", type(code).__name__, hint)
    total = torch.full((len(batch),), -torch.inf, device=batch.x.device)
    part = max(1, TOGETHER // len(batch))
    for done in range(0, k, part):
        draws = min(part, k - done)
        z = code.rsample(draws)  # (k*B, *Z)
        log_w, _ = log_weights(model, batch, code, z)  # (k, B)
        total = torch.logaddexp(total, torch.logsumexp(log_w, 0))
    return total - math.log(k)
