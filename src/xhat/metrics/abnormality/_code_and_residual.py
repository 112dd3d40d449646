"""What two scores see of a row: its code and its residual; and how a distance there is shared by the row's features."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.shapes import size, spread
from xhat.data.dataset import Dataset
from xhat.models.fitted import Fitted

# Normal rows that are looked at: an even sample where there are more.
MOST = 10_000
# Numbers of code and residual together: their covariance has the square of it.
WIDEST = 4096
# Residuals smaller than this share of the rows' own spread are rounding.
EXACT = 1e-6


def even_sample(data: Dataset) -> Tensor:
    """Choose the normal rows that are looked at, (M,)."""
    return torch.arange(len(data))[:: -(-len(data) // MOST)]


def check(fitted: Fitted, who: str) -> None:
    """Refuse models whose codes and residuals have no distance, or too many numbers."""
    hint = "use method likelihood"
    require(fitted.schema.vocabulary is None, who, "needs rows of numbers", "symbols", hint)
    numbers = size(fitted.model.code_shape) + size(fitted.model.x_shape)
    rule = f"needs at most {WIDEST} numbers of code and row together"
    require(numbers <= WIDEST, who, rule, numbers, "use method reconstruction")


def code_and_residual(fitted: Fitted, batch: Batch) -> Float[Tensor, "B E"]:
    r"""Give :math:`v(x) = [f(x),\ x - g(f(x))]`, E = K + D numbers; what was not observed has no residual."""
    z = fitted.model.encode(batch).z
    residual = batch.x - fitted.model.decode(z, y=batch.y).mean  # (B, *X)
    if batch.mask is not None:
        residual = torch.where(spread(batch.mask, residual), residual, 0.0)
    return torch.cat([z.flatten(1), residual.flatten(1)], 1)


def block_scales(v: Float[Tensor, "N E"], x: Float[Tensor, "N D"]) -> Float[Tensor, "E"]:
    r"""Give the spreads :math:`\sqrt{\mathrm{tr}\, S}` of the code and of the residual, each for all of its numbers."""
    code = v.shape[1] - x.shape[1]
    least = float(EXACT * x.var(0, correction=0).sum()) or 1.0  # equal rows have no spread
    z, r = (part.var(0, correction=0).sum().clamp(min=least).sqrt() for part in (v[:, :code], v[:, code:]))
    return torch.cat([z.expand(code), r.expand(x.shape[1])])


def shared(
    code: Float[Tensor, "B"], residual: Float[Tensor, "B *X"], difference: Float[Tensor, "B *X"]
) -> Float[Tensor, "B *X"]:
    r"""Share a squared distance of code and residual between features.

    .. math:: s_i = r_i + c\, \frac{(x_i - x'_i)^2}{\|x - x'\|^2}

    What the residual adds is each feature's own, :math:`r_i`. What the code adds, c, is shared by the squared
    differences to the row x' that the distance is taken from: exactly so for a code that is a rotation of the row, as
    PCA's of all components is. Gradients along the way to x' would follow every bend of the net where it never learned.

    Parameters
    ----------
    code : Tensor of shape (B,)
        c.
    residual : Tensor of shape (B, *X)
        r.
    difference : Tensor of shape (B, *X)
        x - x'.
    """
    squares = difference**2
    whole = squares.flatten(1).sum(1)  # (B,)
    even = torch.full_like(squares, 1 / squares[0].numel())
    shares = torch.where(spread(whole > 0, squares), squares / spread(whole.clamp(min=EXACT**4), squares), even)
    return residual + spread(code, squares) * shares
