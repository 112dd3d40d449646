"""Downsample: bicubic reduction with the weights that tests of super-resolution use."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float
from scipy.fft import dct, dctn, idctn
from torch import Tensor

from xhat.core.errors import ShapeError, require
from xhat.restore.operator import Operator

WHO = "operators/downsample"


class Downsample(Operator):
    r"""Shrink images by a whole factor with Keys' cubic, widened by that factor, mirrored at the borders.

    .. math:: y = R_H \, x \, R_W^T, \qquad
              (R_n)_{ij} \propto c\!\left(\frac{j + \tfrac12}{s} - i - \tfrac12\right)

    with c the cubic of a = -1/2. R is what MATLAB's ``imresize`` does, by which published numbers are made.

    Parameters
    ----------
    scale : int, default=2
        s. Must be >= 1.

    References
    ----------
    Keys, "Cubic Convolution Interpolation for Digital Image Processing", TASSP 1981.
    """

    def __init__(self, scale: int = 2) -> None:
        super().__init__()
        require(
            isinstance(scale, int) and scale >= 1,
            WHO,
            "scale must be a whole number >= 1",
            scale,
            "2 halves both sides",
        )
        self.scale = scale

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
        """Shrink images whose sides are multiples of the scale."""
        fits = x.shape[-2] % self.scale == 0 and x.shape[-1] % self.scale == 0
        rule = f"the image's sides must be multiples of {self.scale}"
        require(fits, WHO, rule, tuple(x.shape[-2:]), "crop it", error=ShapeError)
        return self._matrix(x, -2) @ x @ self._matrix(x, -1).T

    def adjoint(self, y: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C H W"]:
        """Spread each pixel over those that it was made of."""
        return self._matrix(y, -2, small=True).T @ y @ self._matrix(y, -1, small=True)

    def start(self, y: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C H W"]:
        """Enlarge bicubically."""
        return torch.nn.functional.interpolate(y, scale_factor=self.scale, mode="bicubic", align_corners=False)

    def noise(self, y: Float[Tensor, "B C H W"]) -> float:
        """Give none: texture shrinks to what noise looks like; say sigma where there is noise."""
        return 0.0

    def prox(self, v: Float[Tensor, "B C H W"], y: Float[Tensor, "B C h w"], rho: float) -> Float[Tensor, "B C H W"]:
        r"""Solve among cosines, which every :math:`R R^T` of mirrored borders only stretches, by λ.

        .. math:: x = v + A^T C^T \left[\frac{1}{\lambda_i \lambda'_j + \rho} \odot C (y - A v)\right]

        with C the cosine transform of both axes. Of axes of thousands of pixels a decomposition would take minutes.
        """
        rows, columns = (self._stretch(v, axis) for axis in (-2, -1))
        shares = _cosines(y - self(v)) / (rows[:, None] * columns + rho)
        return v + self.adjoint(_cosines(shares, back=True))

    def _stretch(self, x: Tensor, axis: int) -> Float[Tensor, "h"]:
        """Give λ of an axis: what becomes of its first pixel holds every cosine."""
        matrix = reduction(x.shape[axis], self.scale)
        first = torch.zeros(len(matrix), dtype=matrix.dtype)
        first[0] = 1.0
        there = dct((matrix @ matrix[0]).numpy(), norm="ortho")
        return torch.from_numpy(there / dct(first.numpy(), norm="ortho")).to(x)

    def _matrix(self, x: Tensor, axis: int, *, small: bool = False) -> Float[Tensor, "h H"]:
        size = x.shape[axis] * (self.scale if small else 1)
        return reduction(size, self.scale).to(x)

    @classmethod
    def example(cls) -> Self:
        """Halve both sides."""
        return cls(2)


def _cosines(x: Tensor, *, back: bool = False) -> Tensor:
    transform = idctn if back else dctn
    return torch.from_numpy(transform(x.cpu().numpy(), axes=(-2, -1), norm="ortho")).to(x)


def reduction(size: int, scale: int) -> Float[Tensor, "h H"]:
    """Give R for an axis of `size` pixels, a multiple of `scale`; each row sums to 1."""
    rows = torch.arange(size // scale, dtype=torch.float64)[:, None]
    reach = math.ceil(2 * scale) + 1
    # Pixels on both sides of where a row's middle lies, those beyond the border as well.
    at = torch.floor((rows + 0.5) * scale - 0.5) + torch.arange(-reach, reach + 1)  # (h, 2 reach + 1)
    weights = _cubic((at + 0.5) / scale - rows - 0.5)
    weights = weights / weights.sum(1, keepdim=True)
    there_and_back = at.long() % (2 * size)
    mirrored = torch.minimum(there_and_back, 2 * size - 1 - there_and_back)
    return torch.zeros(size // scale, size, dtype=torch.float64).scatter_add(1, mirrored, weights)


def _cubic(t: Tensor) -> Tensor:
    t = t.abs()
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return torch.where(t <= 1, near, torch.where(t < 2, far, 0.0))
