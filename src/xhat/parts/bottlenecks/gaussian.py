"""The code is a Gaussian with a diagonal covariance, drawn by the reparameterisation trick."""

from __future__ import annotations

from typing import Self

from jaxtyping import Float
from torch import Tensor

from xhat.core.bottleneck import Bottleneck
from xhat.core.gaussian_code import GaussianCode
from xhat.core.shapes import Shape, as_shape

# σ between 5e-5 and 150: outside, exp and its gradient overflow long before a posterior means anything.
LOWEST, HIGHEST = -20.0, 10.0


class Gaussian(Bottleneck):
    r"""Half of h is :math:`\mu`, half is :math:`\log \sigma^2`.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code. The encoder gives twice as many on the first axis.

    References
    ----------
    Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
    """

    emits = GaussianCode

    def __init__(self, code_shape: Shape) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "Gaussian")

    @property
    def in_shape(self) -> Shape:
        """The code's shape with twice the channels: the mean's and the log-variance's."""
        return (2 * self.code_shape[0], *self.code_shape[1:])

    def forward(self, h: Float[Tensor, "B C *Z"]) -> GaussianCode:
        """Part h into the mean and the log-variance."""
        mean, log_var = h.chunk(2, dim=1)  # (B, C/2, *Z) each
        return GaussianCode(mean, log_var.clamp(LOWEST, HIGHEST))

    @classmethod
    def example(cls) -> Self:
        """Make codes of three numbers."""
        return cls((3,))
