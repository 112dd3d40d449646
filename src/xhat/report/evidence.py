"""Evidence: a fitted model's codes and errors on validation rows, computed once for all figures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.code import Code
from xhat.core.errors import ConfigError
from xhat.core.gaussian_code import GaussianCode
from xhat.core.shapes import size, spread
from xhat.data.dataset import Dataset
from xhat.data.split import Split
from xhat.models.fitted import Fitted
from xhat.parts.likelihoods.categorical import Categorical

# Values that are copied for the report at most: all validation rows of small images, some hundred large ones.
VALUES = 8_000_000
FEWEST = 256


@dataclass(frozen=True, eq=False)
class Evidence:
    """What figures are drawn from.

    Parameters
    ----------
    fitted : Fitted
        The model.
    data : Dataset
        What it was fitted to.
    train, rows : int64 Tensor
        The rows that it learned from; validation rows, those that are looked at here.
    z : Tensor of shape (n_rows, Z)
        Their deterministic codes, flattened.
    kl : Tensor of shape (Z,), optional
        Mean KL divergence to the prior of every code dimension, in nats, where code and prior know one.
    errors : Tensor of shape (n_rows,)
        Mean squared error per observed element; for symbols, the share of wrong ones.
    """

    fitted: Fitted
    data: Dataset
    train: Int[Tensor, "T"]
    rows: Int[Tensor, "N"]
    z: Float[Tensor, "N Z"]
    kl: Float[Tensor, "Z"] | None
    errors: Float[Tensor, "N"]

    @property
    def symbols(self) -> bool:
        """Whether elements are symbols, which differ or not and have no distance."""
        return isinstance(self.fitted.model.likelihood, Categorical)

    @property
    def unit(self) -> float:
        """One step of the scaled data in the data's own units; 1 where columns have units of their own."""
        return _unit(self.fitted)

    @property
    def unit_words(self) -> str:
        """What errors and distances are measured in."""
        if self.symbols:
            return "as a share of symbols"
        own = self.fitted.scaling.spread.numel() == 1
        return "in the data's own units" if own else "in standard deviations of each element"

    def inputs(self, rows: Int[Tensor, "B"]) -> Float[Tensor, "B *X"]:
        """Take rows in the data's own units; NaN where nothing was observed."""
        x = self.data.batch(rows).x
        return x if x.is_floating_point() else x.float()

    def copies(self, rows: Int[Tensor, "B"]) -> Float[Tensor, "B *X"]:
        """Reconstruct rows, in the data's own units."""
        with torch.inference_mode():
            parts = [self.fitted.model.reconstruct(batch) for batch in self.fitted.batches(self.data, rows)]
            return self.fitted.scaling.inverse(torch.cat(parts)).cpu()


def gather(fitted: Fitted, data: Dataset, split: Split) -> Evidence:
    """Encode and copy validation rows, all of them or as many as can be copied in seconds."""
    most = max(FEWEST, VALUES // size(data.schema.shape))
    step = -(-len(split.validation) // most)
    rows = split.validation[::step]
    symbols = isinstance(fitted.model.likelihood, Categorical)
    z, kl, errors = [], [], []
    with torch.inference_mode():
        for batch in fitted.batches(data, rows):
            code = fitted.model.encode(batch)
            copy = fitted.model.decode(code.z, y=batch.y).mean
            z.append(code.z.flatten(1).float().cpu())
            kl.append(_kl(fitted, code))
            errors.append(_errors(batch, copy, symbols).cpu() * (1 if symbols else _unit(fitted) ** 2))
    known = [part.cpu() for part in kl if part is not None]
    mean_kl = torch.cat(known).mean(0) if known else None
    return Evidence(fitted, data, split.train, rows, torch.cat(z), mean_kl, torch.cat(errors))


def _unit(fitted: Fitted) -> float:
    spread = fitted.scaling.spread
    return float(spread) if spread.numel() == 1 else 1.0


def _errors(batch: Batch, copy: Tensor, symbols: bool) -> Float[Tensor, "B"]:
    wrong = (batch.x != copy).float() if symbols else (batch.x - copy) ** 2  # (B, *X)
    if batch.mask is None:
        return wrong.flatten(1).mean(1)
    mask = spread(batch.mask, wrong).expand_as(wrong)
    return (wrong * mask).flatten(1).sum(1) / mask.flatten(1).sum(1).clamp(min=1)


def _kl(fitted: Fitted, code: Code) -> Float[Tensor, "B Z"] | None:
    if not isinstance(code, GaussianCode):
        return None
    try:
        return fitted.model.prior.kl_per_dimension(code).flatten(1)
    except ConfigError:  # Of a prior whose dimensions depend on one another.
        return None
