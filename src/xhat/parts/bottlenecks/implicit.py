"""The code is what a small net makes of the encoding and of noise: a posterior of any form."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import ShapeError, require
from xhat.core.implicit_code import ImplicitCode
from xhat.core.shapes import Shape, as_shape

WHO = "bottlenecks/implicit"


class Implicit(Bottleneck):
    r"""Push noise through a net.

    .. math:: z = g([h, \eta]), \qquad \eta \sim N(0, I)

    so that :math:`q(z|x) = \int \delta(z - g([h, \eta]))\, p(\eta)\, d\eta` may have several modes. It can be drawn
    from; its density is not known, and an objective must do without. The code itself is :math:`g([h, 0])`.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code, flat.
    width : int, default=64
        How many numbers the encoder gives, and how wide the hidden layer of g is.
    noise : int, default=8
        How many numbers η has.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 2: the universal approximator posterior.
    """

    emits = ImplicitCode

    def __init__(self, code_shape: Shape, *, width: int = 64, noise: int = 8) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, WHO)
        flat, hint = len(self.code_shape) == 1, "use code='flat'"
        require(flat, WHO, "codes must be flat", self.code_shape, hint, error=ShapeError)
        require(width >= 1, WHO, "width must be >= 1", width, "64 suits most data")
        require(noise >= 1, WHO, "noise must be >= 1", noise, "use bottlenecks/plain for a code without noise")
        self.width, self.noise = width, noise
        self.net = nn.Sequential(
            nn.SiLU(),  # The encoder ends in a linear map.
            nn.Linear(width + noise, width),
            nn.SiLU(),
            nn.Linear(width, self.code_shape[0]),
        )

    @property
    def in_shape(self) -> Shape:
        """As many numbers as g is wide."""
        return (self.width,)

    def forward(self, h: Float[Tensor, "B H"]) -> ImplicitCode:
        """Give g's code, with the means to draw others."""

        def draw(k: int) -> Tensor:
            eta = torch.randn(k * len(h), self.noise, dtype=h.dtype, device=h.device)
            return self._made(h.repeat(k, 1), eta)

        return ImplicitCode(self._made(h, h.new_zeros(len(h), self.noise)), draw)

    def _made(self, h: Float[Tensor, "N H"], eta: Float[Tensor, "N E"]) -> Float[Tensor, "N Z"]:
        z: Tensor = self.net(torch.cat([h, eta], 1))
        return z

    @classmethod
    def example(cls) -> Self:
        """Make codes of three numbers."""
        return cls((3,), width=16, noise=2)
