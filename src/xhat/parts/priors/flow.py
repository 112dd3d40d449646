"""RealNVP: a normalising flow of affine coupling layers."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.priors._transport import Layer, Transport, bounded


class Flow(Transport):
    r"""A chain of layers that each scale and shift one half of the code by functions of the other half.

    .. math:: u_a = z_a, \qquad u_b = (z_b - t(z_a))\, e^{-s(z_a)}, \qquad
              \log \Big|\det \frac{\partial u}{\partial z}\Big| = -\sum_b s(z_a)

    with :math:`|s| < 2`. The halves, every other number, change places from layer to layer. A pass either way costs the
    same. At the start every layer is the identity, so p(z) is the standard normal.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    layers : int, default=6
        At least 2, so that each half is moved.
    hidden : int, default=64
        Width of the perceptrons that give s and t.

    References
    ----------
    Dinh et al., "Density Estimation Using Real NVP", ICLR 2017, eq. 6-8. Chen et al., "Variational Lossy
    Autoencoder", ICLR 2017, section 3.2, for a flow as the prior.
    """

    def __init__(self, code_shape: Shape, layers: int = 6, hidden: int = 64) -> None:
        require(layers >= 2, "priors/flow", "layers must be >= 2", layers, "a single one leaves half of the code as is")
        require(hidden >= 1, "priors/flow", "hidden must be >= 1", hidden, "64 suits most codes")
        code_shape = as_shape(code_shape, "priors/flow")
        super().__init__(code_shape, [_Coupling(size(code_shape), hidden, i % 2) for i in range(layers)])
        self.layers, self.hidden = layers, hidden

    @classmethod
    def example(cls) -> Self:
        """Chain four narrow layers over three numbers."""
        return cls((3,), layers=4, hidden=16)


class _Coupling(Layer):
    kept: Tensor

    def __init__(self, d: int, hidden: int, first: int) -> None:
        super().__init__()
        self.register_buffer("kept", (torch.arange(d) % 2 == first).float(), persistent=False)  # 1 where it is z_a
        self.net = nn.Sequential(
            nn.Linear(d, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 2 * d)
        )
        nn.init.zeros_(self.net[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.net[-1].bias)  # type: ignore[arg-type]

    def forward(self, z: Float[Tensor, "N d"]) -> tuple[Float[Tensor, "N d"], Float[Tensor, "N"]]:
        """Give u and the log-determinant."""
        s, t = self._moved_by(z)
        return (z - t) * torch.exp(-s), -s.sum(1)

    def inverse(self, u: Float[Tensor, "N d"]) -> Float[Tensor, "N d"]:
        """Give z: what s and t are made of has been left as it is."""
        s, t = self._moved_by(u)
        return u * torch.exp(s) + t

    def _moved_by(self, z: Tensor) -> tuple[Tensor, Tensor]:
        s, t = self.net(z * self.kept).chunk(2, dim=1)
        return bounded(s) * (1 - self.kept), t * (1 - self.kept)
