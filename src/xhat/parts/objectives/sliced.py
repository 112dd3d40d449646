"""Sliced Wasserstein autoencoder: along random directions, codes in order meet draws of the prior in order."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.parts.objectives._distances import energy, in_full


class Sliced(Objective):
    r"""Match the codes' distribution to the prior's by optimal transport on lines.

    .. math::
        L &= E[-\log p(x|z)] + \tfrac{\lambda}{2}\, E\big[ \mathrm{SW}(z_1, p_2) + \mathrm{SW}(z_2, p_1)
            - \mathrm{SW}(z_1, z_2) - \mathrm{SW}(p_1, p_2) \big] \\
        \mathrm{SW}(a, b) &= E_\theta\Big[ \frac1N \sum_i \big( (\theta^T a)_{(i)} - (\theta^T b)_{(i)} \big)^2 \Big]

    with θ uniform on the sphere, :math:`(i)` the i-th smallest, since in one dimension the order is the optimal plan,
    and with both halves of the batch's codes, :math:`z_1, z_2`, and of as many draws of the prior. The paper's
    SW(z, p) alone is least for codes that are drawn a little too close together. The term belongs to the batch and
    not to a row; weights of rows do not enter it.

    Parameters
    ----------
    weight : float or Schedule, default=10.0
        λ, in nats for a squared distance of 1 along a line. Must be >= 0.
    directions : int, default=50
        How many θ are drawn for each batch.

    References
    ----------
    Kolouri et al., "Sliced Wasserstein Auto-Encoders", ICLR 2019, eq. 9. Salimans et al., "Improving GANs Using
    Optimal Transport", ICLR 2018, eq. 5, for the halves.
    """

    def __init__(self, weight: Coefficient = 10.0, *, directions: int = 50) -> None:
        super().__init__()
        require(directions >= 1, "Sliced", "directions must be >= 1", directions, "50 suits most codes")
        self.weight = coefficient(weight, "Sliced", "weight", hint="use objectives/reconstruction for none")
        self.directions = directions

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and the transport, ()."""
        code = model.encode(batch)
        z = code.rsample()  # (B, *Z)
        data = model.decode(z, batch)
        flat, prior = z.flatten(1), model.prior.sample(len(z)).flatten(1)  # (B, d)
        theta = directions(self.directions, flat)  # (L, d)
        apart = energy(lambda a, b: distance(a, b, theta), flat, prior)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            transport=self.now(self.weight) * apart,  # (): of the batch
            **code.terms,
        )

    @classmethod
    def example(cls) -> Self:
        """Look along five directions."""
        return cls(1.0, directions=5)


def directions(count: int, like: Float[Tensor, "N d"]) -> Float[Tensor, "L d"]:
    """Draw directions uniformly."""
    return normalize(torch.randn(count, like.shape[1], dtype=in_full(like).dtype, device=like.device), dim=1)


def distance(a: Float[Tensor, "N d"], b: Float[Tensor, "N d"], theta: Float[Tensor, "L d"]) -> Float[Tensor, ""]:
    r"""Give the mean of :math:`W_2^2` along directions θ, of two samples of one size."""
    with torch.autocast(a.device.type, enabled=False):
        along_a, along_b = in_full(a) @ theta.T, in_full(b) @ theta.T  # (N, L)
        return ((along_a.sort(0).values - along_b.sort(0).values) ** 2).mean()
