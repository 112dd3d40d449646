"""New rows of which something is known: draws from p(x | x_c)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from xhat.core.errors import DataError
from xhat.core.shapes import spread
from xhat.models.autoencoder import Autoencoder

# Draws of z a row that is asked for, and at least so many: of what one row in a thousand has, a fair number is left.
EACH, LEAST = 20, 50_000
# Decoded at once.
TOGETHER = 4096


@torch.no_grad()
def sample_given(model: Autoencoder, known: Float[Tensor, "*X"], mask: Bool[Tensor, "*X"], n: int) -> Tensor:
    r"""Draw rows by sampling importance resampling.

    .. math:: z_i \sim p(z), \quad w_i = p(x_c|z_i), \quad z \sim \sum_i \tilde w_i\, \delta_{z_i}, \quad x \sim p(x|z)

    with :math:`\tilde w_i = w_i / \sum_j w_j` and :math:`x_c` what is known, which then takes its place in x. Exact as
    the number of draws rises; for what is rarer than one draw in thousands some rows share their z.

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

    References
    ----------
    Rubin, "Using the SIR algorithm to simulate posterior distributions", Bayesian Statistics 3, 1988.
    """
    z = model.prior.sample(max(EACH * n, LEAST))  # (M, *Z)
    log_w = torch.cat([_weights(model, part, known, mask) for part in z.split(TOGETHER)])  # (M,)
    possible = bool(log_w.isfinite().any())
    if not possible:
        raise DataError("sample", "the model knows no rows like these", hint="ask for values that were seen together")
    chosen = z[torch.multinomial((log_w - log_w.max()).exp(), n, replacement=True)]
    x = torch.cat([model.decode(part).sample() for part in chosen.split(TOGETHER)])
    return torch.where(mask, known, x)


def _weights(model: Autoencoder, z: Tensor, known: Tensor, mask: Tensor) -> Tensor:
    rows = known.expand(len(z), *known.shape)
    return model.decode(z).log_prob(rows, spread(mask, known).expand_as(rows))
