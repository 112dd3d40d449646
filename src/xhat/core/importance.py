"""The importance of draws of a posterior: how much more likely the model makes each than it was drawn."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.data_distribution import DataDistribution
from xhat.core.model import Model
from xhat.core.posterior import Posterior


def log_weights(
    model: Model, batch: Batch, code: Posterior, z: Float[Tensor, "kB *Z"], *, detached: bool = False
) -> tuple[Float[Tensor, "k B"], DataDistribution]:
    r"""Weigh k draws of each row, in nats, and say what the decoder makes of them.

    .. math:: \log w_i = \log p(x|z_i) + \log p(z_i) - \log q(z_i|x)

    Parameters
    ----------
    model : Model
        p.
    batch : Batch
        The rows, (B, *X); entries that their mask hides do not count.
    code : Posterior
        q, of these rows.
    z : Tensor of shape (k * B, *Z)
        Draw after draw, as `Posterior.rsample` gives them.
    detached : bool, default=False
        Whether q is held fixed, so that a gradient comes by way of z alone.

    Returns
    -------
    Tensor of shape (k, B), DataDistribution
        log w, and p(x|z) of the k * B draws.
    """
    k = len(z) // len(batch)
    rows, data = batch.repeated(k), model.decode(z, batch)
    log_p = data.log_prob(rows.x, rows.mask) + model.prior.log_prob(z)  # (k*B,)
    return (log_p - code.log_prob(z, detached=detached)).unflatten(0, (k, -1)), data
