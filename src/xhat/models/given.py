"""New rows of which something is known: draws from p(x | x_c)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import repeat

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from xhat.core.errors import DataError
from xhat.core.shapes import spread
from xhat.models.autoencoder import Autoencoder

# Draws of z a row that is asked for, and at least so many: of what one row in a thousand has, a fair number is left.
EACH, LEAST = 20, 50_000
# And at most so many, or memory would grow with twenty times the rows.
MOST = 1_000_000
# Fewer codes than that, where more rows are asked for, show in the rows.
FEW = 50
# Decoded at once.
TOGETHER = 4096


@torch.no_grad()
def sample_given(model: Autoencoder, known: Float[Tensor, "*X"], mask: Bool[Tensor, "*X"], n: int) -> Tensor:
    r"""Draw rows by sampling importance resampling.

    .. math:: z_i \sim p(z), \quad w_i = p(x_c|z_i), \quad z \sim \sum_i \tilde w_i\, \delta_{z_i}, \quad x \sim p(x|z)

    with :math:`\tilde w_i = w_i / \sum_j w_j` and :math:`x_c` what is known, which then takes its place in x. Exact as
    the number of draws rises; for what is rarer than one draw in thousands some rows share their z. Where the model
    has classes, these are drawn with z.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode.
    known : Tensor of shape (*X)
        A scaled row; what the mask hides may be any number.
    mask : bool Tensor of shape (*X)
        True at what is known.
    n : int
        How many rows.

    Returns
    -------
    Tensor of shape (n, *X)
        Scaled.

    Raises
    ------
    DataError
        When the model holds such rows for impossible.

    Warns
    -----
    UserWarning
        When the weights are worth few draws, :math:`1 / \sum_i \tilde w_i^2 < \min(n, 50)`.

    References
    ----------
    Rubin, "Using the SIR algorithm to simulate posterior distributions", Bayesian Statistics 3, 1988.
    """
    m = min(max(EACH * n, LEAST), MOST)
    z = model.prior.sample(m)  # (M, *Z)
    y = None if model.decoder.classes is None else model.decoder.draw(m)  # (M,)
    log_w = torch.cat([_weights(model, part, of_part, known, mask) for part, of_part in _parts(z, y)])  # (M,)
    possible = bool(log_w.isfinite().any())
    if not possible:
        raise DataError("sample", "the model knows no rows like these", hint="ask for values that were seen together")
    w = (log_w.double() - log_w.max()).exp()
    _tell(float(w.sum() ** 2 / (w**2).sum()), n)
    chosen = torch.multinomial(w, n, replacement=True)
    picked = _parts(z[chosen], None if y is None else y[chosen])
    return torch.cat([torch.where(mask, known, model.decode(part, y=of_part).sample()) for part, of_part in picked])


def _weights(model: Autoencoder, z: Tensor, y: Tensor | None, known: Tensor, mask: Tensor) -> Tensor:
    rows = known.expand(len(z), *known.shape)
    return model.decode(z, y=y).log_prob(rows, spread(mask, known).expand_as(rows))


def _parts(z: Tensor, y: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None]]:
    return zip(z.split(TOGETHER), repeat(None) if y is None else y.split(TOGETHER), strict=False)


def _tell(worth: float, n: int) -> None:
    if worth < min(n, FEW):
        told = f"sample: rows like these are rare in the model: {n} rows come from some {worth:.0f} different codes."
        warnings.warn(f"{told} Give fewer conditions for rows that differ more.", UserWarning, stacklevel=6)
