"""Masked autoregressive flow: every number of the code is scaled and shifted by those before it."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from xhat.core.errors import require
from xhat.core.masked_linear import MaskedLinear
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.priors._transport import Layer, Transport, bounded


class MAF(Transport):
    r"""A chain of autoregressive layers, whose order turns round from one to the next.

    .. math:: u_i = (z_i - t_i(z_{<i}))\, e^{-s_i(z_{<i})}, \qquad
              \log \Big|\det \frac{\partial u}{\partial z}\Big| = -\sum_i s_i(z_{<i})

    with :math:`|s| < 2`; one masked perceptron gives all s and t. From codes to noise is one pass, from noise to codes
    is one pass for each number of the code. A prior is asked for the density of the posterior's draws at every step of
    training and for samples only afterwards, so the quick direction is the density's. The inverse autoregressive flow
    is this one turned round: it draws in one pass, and would need a pass a number for every density.

    At the start every layer is the identity, so p(z) is the standard normal.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    layers : int, default=4
        At least 1.
    hidden : int, default=64
        Width of the masked perceptrons.

    References
    ----------
    Papamakarios et al., "Masked Autoregressive Flow for Density Estimation", NeurIPS 2017, eq. 3-5. Germain et al.,
    "MADE", ICML 2015, eq. 12-13, for the masks. Kingma et al., "Improved Variational Inference with Inverse
    Autoregressive Flow", 2016, for the other direction.
    """

    def __init__(self, code_shape: Shape, layers: int = 4, hidden: int = 64) -> None:
        require(layers >= 1, "priors/maf", "layers must be >= 1", layers, "use priors/normal for none")
        require(hidden >= 1, "priors/maf", "hidden must be >= 1", hidden, "64 suits most codes")
        code_shape = as_shape(code_shape, "priors/maf")
        super().__init__(code_shape, [_Autoregressive(size(code_shape), hidden, i % 2 == 1) for i in range(layers)])
        self.layers, self.hidden = layers, hidden

    @classmethod
    def example(cls) -> Self:
        """Chain two narrow layers over three numbers."""
        return cls((3,), layers=2, hidden=16)


class _Autoregressive(Layer):
    order: Tensor

    def __init__(self, d: int, hidden: int, turned: bool) -> None:
        super().__init__()
        # A unit's degree is the last place, from 1, that it may know of.
        place = torch.arange(1, d + 1)
        degree = 1 + torch.arange(hidden) % max(d - 1, 1)
        if turned:
            place = place.flip(0)
        self.register_buffer("order", place.argsort(), persistent=False)
        self.inner = MaskedLinear(degree[:, None] >= place)
        self.middle = MaskedLinear(degree[:, None] >= degree)
        self.outer = MaskedLinear((place[:, None] > degree).repeat(2, 1))
        nn.init.zeros_(self.outer.weight)

    def forward(self, z: Float[Tensor, "N d"]) -> tuple[Float[Tensor, "N d"], Float[Tensor, "N"]]:
        """Give u and the log-determinant, in one pass."""
        s, t = self._moved_by(z)
        return (z - t) * torch.exp(-s), -s.sum(1)

    def inverse(self, u: Float[Tensor, "N d"]) -> Float[Tensor, "N d"]:
        """Give z, number after number."""
        z = torch.zeros_like(u)
        for i in self.order.tolist():
            s, t = self._moved_by(z)
            z = torch.cat([z[:, :i], u[:, i : i + 1] * torch.exp(s[:, i : i + 1]) + t[:, i : i + 1], z[:, i + 1 :]], 1)
        return z

    def _moved_by(self, z: Tensor) -> tuple[Tensor, Tensor]:
        s, t = self.outer(silu(self.middle(silu(self.inner(z))))).chunk(2, dim=1)
        return bounded(s), t
