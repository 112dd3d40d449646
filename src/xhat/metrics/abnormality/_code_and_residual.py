"""What two scores see of a row: its code and its residual; and how a distance there is shared by the row's features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.shapes import size, spread
from xhat.data.dataset import Dataset
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted

# Normal rows that are looked at, where there are more; fewer where their numbers would fill the memory.
MOST, NUMBERS = 10_000, 20_000_000
# Residuals smaller than this share of the rows' own spread are rounding.
EXACT = 1e-6


@dataclass(frozen=True, eq=False)
class Seen:
    """Normal rows as a score sees them.

    Parameters
    ----------
    x : Tensor of shape (N, *X)
        Scaled.
    v : Tensor of shape (N, E)
        Their codes and residuals.
    scales : Tensor of shape (E,)
        One spread for all numbers of the code, and one for all of the residual.
    """

    x: Tensor
    v: Tensor
    scales: Tensor

    @classmethod
    def through(cls, fitted: Fitted, data: Dataset) -> Seen:
        """Look at normal rows through a model in double precision."""
        double, numbers = fitted.double, size(fitted.model.code_shape) + size(fitted.model.x_shape)
        with torch.no_grad():  # not inference_mode: what is kept is used outside of it
            batches = list(double.batches(double._open(data), some_rows(len(data), numbers)))
            x = torch.cat([batch.x for batch in batches]).cpu()  # (N, *X)
            v = torch.cat([code_and_residual(double, batch) for batch in batches]).cpu()  # (N, E)
        return cls(x, v, block_scales(v, x.flatten(1)))


def some_rows(n: int, numbers: int) -> Tensor:
    """Choose which of n rows, of so many numbers each, are looked at: all, or the same draw at each call, (M,)."""
    most = max(2, min(MOST, NUMBERS // numbers))
    if n <= most:
        return torch.arange(n)
    # Drawn, not every second one: rows may come in turns of several kinds.
    return torch.randperm(n, generator=torch.Generator().manual_seed(0))[:most].sort().values


def check_numbers(model: Autoencoder, data: Dataset, who: str) -> None:
    """Refuse symbols: their codes and residuals have no distance."""
    hint = "use method likelihood"
    require(data.schema.vocabulary is None, who, "needs rows of numbers", "symbols", hint)


def code_and_residual(fitted: Fitted, batch: Batch) -> Float[Tensor, "B E"]:
    r"""Give :math:`v(x) = [f(x),\ x - g(f(x))]`, E = K + D numbers; what was not observed has no residual."""
    z = fitted.model.encode(batch).z
    residual = torch.where(observed(batch), batch.x - fitted.model.decode(z, y=batch.y).mean, 0.0)  # (B, *X)
    return torch.cat([z.flatten(1), residual.flatten(1)], 1)


def block_scales(v: Float[Tensor, "N E"], x: Float[Tensor, "N D"]) -> Float[Tensor, "E"]:
    r"""Give the spreads :math:`\sqrt{\mathrm{tr}\, S}` of the code and of the residual, each for all of its numbers."""
    code = v.shape[1] - x.shape[1]
    least = float(EXACT * x.var(0, correction=0).sum()) or 1.0  # equal rows have no spread
    z, r = (part.var(0, correction=0).sum().clamp(min=least).sqrt() for part in (v[:, :code], v[:, code:]))
    return torch.cat([z.expand(code), r.expand(x.shape[1])])


def shared(
    code: Float[Tensor, "B"], residual: Float[Tensor, "B *X"], difference: Float[Tensor, "B *X"], batch: Batch
) -> Float[Tensor, "B *X"]:
    r"""Share a squared distance of code and residual between features.

    .. math:: s_i = r_i + c\, \frac{(x_i - x'_i)^2}{\|x - x'\|^2}

    What the residual adds is each feature's own, :math:`r_i`. What the code adds, c, is shared by the squared
    differences to the row x' that the distance is taken from: exactly so for a code that is a rotation of the row, as
    PCA's of all components is. Gradients along the way to x' would follow every bend of the net where it never learned.
    What was not observed has no share.

    Parameters
    ----------
    code : Tensor of shape (B,)
        c.
    residual : Tensor of shape (B, *X)
        r, 0 where nothing was observed.
    difference : Tensor of shape (B, *X)
        x - x'.
    batch : Batch
        The rows, for what of them was observed.
    """
    there = observed(batch)
    squares = torch.where(there, difference**2, 0.0)
    whole = squares.flatten(1).sum(1)  # (B,)
    even = there / spread(there.flatten(1).sum(1).clamp(min=1), squares)
    shares = torch.where(spread(whole > 0, squares), squares / spread(whole.clamp(min=EXACT**4), squares), even)
    return residual + spread(code, squares) * shares


def observed(batch: Batch) -> Bool[Tensor, "B *X"]:
    """Say what of each row was observed."""
    if batch.mask is None:
        return torch.ones_like(batch.x, dtype=torch.bool)
    return spread(batch.mask, batch.x).expand_as(batch.x)
