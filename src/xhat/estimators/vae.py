"""The variational autoencoder as an estimator."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.gaussian_code import GaussianCode
from xhat.core.importance import log_weights
from xhat.data.dataset import Dataset
from xhat.engine.randomness import private_randomness
from xhat.estimators._constraints import EVERY, OWN
from xhat.estimators._transformer import Transformer
from xhat.models.fitted import Fitted
from xhat.parts.likelihoods.mixed import Mixed

# Draws a row: with fewer the estimate lies further below log p(x).
DRAWS = 128
# Draws of all rows that are decoded at once: one row's go together, for a step for each would take as long as a batch.
TOGETHER = 4096


@dataclass(eq=False, repr=False)
class VAE(Transformer):
    """A density of rows, with codes that follow a normal distribution.

    Parameters
    ----------
    n_components : int, default=2
        Code dimensions.
    beta : float or Schedule, default=1.0
        Weight of the rate; 1 is the evidence lower bound.

    All else is as with `AE`.

    References
    ----------
    Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**EVERY, "beta": OWN}

    n_components: int | float = 2
    _: KW_ONLY
    beta: Any = 1.0

    @property
    def _kind(self) -> str:
        return "vae"

    def _changes(self) -> dict[str, Any]:
        return {"objective.beta": self.beta}

    def score_samples(self, X: Any) -> Any:
        r"""Give log p(x) of each row in nats, as a density over X's own units.

        .. math:: \log p(x) \ge \log \frac1k \sum_i \frac{p(x|z_i)\, p(z_i)}{q(z_i|x)}, \qquad z_i \sim q(z|x)

        with k = 128 draws, whose noise is the same for every row, call and precision.
        """
        return super().score_samples(X)

    def _scores(self, X: Any) -> NDArray[np.float64]:
        rows, fitted = self._ready(X)
        return log_density(fitted, self._opened(rows))


def log_density(fitted: Fitted, data: Dataset) -> NDArray[np.float64]:
    """Estimate log p(x) of rows in nats, (N,), in the data's own units; see `VAE.score_samples`."""
    with private_randomness(0), torch.inference_mode():
        # Drawn as doubles: of floats torch draws other numbers, and a row's score would depend on its precision.
        normal = torch.randn(DRAWS, *fitted.model.code_shape, dtype=torch.float64)
        noise = normal.to(fitted.device, fitted.scaling.spread.dtype)
        parts = [_evidence(fitted, batch, noise) for batch in fitted.batches(data)]
    return cast("NDArray[np.float64]", torch.cat(parts).double().cpu().numpy())


def _evidence(fitted: Fitted, batch: Batch, noise: Tensor) -> Tensor:
    model, code = fitted.model, cast(GaussianCode, fitted.model.encode(batch))
    log_w = []
    for epsilon in noise.split(max(TOGETHER // len(batch), 1)):  # (k, *Z)
        z = (code.mean + code.std * epsilon.unsqueeze(1)).flatten(0, 1)  # (k*B, *Z), draw after draw
        log_w.append(log_weights(model, batch, code, z)[0])  # (k, B)
    log_p = torch.logsumexp(torch.cat(log_w), 0) - math.log(len(noise))  # (B,) of scaled rows
    stretched = fitted.scaling.spread.log().expand(batch.x.shape)  # (B, *X)
    if isinstance(model.likelihood, Mixed):  # whole numbers have masses, which no unit changes
        stretched = stretched * ~model.likelihood.whole
    there = torch.ones_like(stretched) if batch.mask is None else batch.mask.expand_as(stretched)
    return log_p - (stretched * there).flatten(1).sum(1)
