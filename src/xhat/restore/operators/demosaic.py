"""Demosaic: a sensor that sees one colour at each pixel."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pixel_unshuffle

from xhat.core.errors import ShapeError, require
from xhat.restore.noise import estimate_sigma
from xhat.restore.operator import Operator

WHO = "operators/demosaic"
CHANNEL = {"R": 0, "G": 1, "B": 2}


class Demosaic(Operator):
    r"""See of each pixel the colour of its filter.

    .. math:: y_p = x_{c(p), p}

    Parameters
    ----------
    pattern : str, default="RGGB"
        c of the first two by two pixels, row by row: "RGGB", "BGGR", "GRBG" or "GBRG".

    References
    ----------
    Bayer, "Color Imaging Array", US patent 3,971,065, 1976.
    """

    contracts = True

    def __init__(self, pattern: str = "RGGB") -> None:
        super().__init__()
        known = ("RGGB", "BGGR", "GRBG", "GBRG")
        require(pattern in known, WHO, f"pattern must be one of {', '.join(known)}", f"'{pattern}'")
        self.pattern = pattern

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
        """Give the mosaic of colour images."""
        rule, hint = "reads images of 3 channels", "a gray picture needs no demosaicing"
        require(x.shape[1] == 3, WHO, rule, x.shape[1], hint, error=ShapeError)
        return (self._mask(x) * x).sum(1, keepdim=True)

    def adjoint(self, y: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B C H W"]:
        """Lay each pixel into its channel, among zeros."""
        return self._mask(y) * y

    def start(self, y: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B C H W"]:
        """Interpolate each channel bilinearly; what is beyond the border is left out of the means.

        Where no neighbour is of a colour, as in one row of pixels, the pixel is taken as gray.
        """
        mask = self._mask(y)  # (3, H, W)
        tent = y.new_tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]).expand(3, 1, 3, 3)
        spread = torch.nn.functional.conv2d(mask * y, tent, padding=1, groups=3)
        weight = torch.nn.functional.conv2d(mask[None], tent, padding=1, groups=3)
        return torch.where((mask > 0) | (weight == 0), y, spread / weight.clamp(min=1))

    def noise(self, y: Float[Tensor, "B 1 H W"]) -> float:
        """Estimate it on each colour's own grid, where neighbours are of one filter."""
        whole = y[..., : y.shape[-2] // 2 * 2, : y.shape[-1] // 2 * 2]
        return estimate_sigma(pixel_unshuffle(whole, 2)) if min(y.shape[-2:]) >= 4 else 0.0

    def prox(self, v: Float[Tensor, "B C H W"], y: Float[Tensor, "B 1 H W"], rho: float) -> Float[Tensor, "B C H W"]:
        r"""Give :math:`(m y + \rho v) / (m + \rho)`, pixel by pixel."""
        return torch.where(self._mask(y) > 0, (y + rho * v) / (1 + rho), v)

    def _mask(self, like: Tensor) -> Float[Tensor, "C H W"]:
        mask = like.new_zeros(3, *like.shape[-2:])
        for place, colour in enumerate(self.pattern):
            mask[CHANNEL[colour], place // 2 :: 2, place % 2 :: 2] = 1
        return mask

    @classmethod
    def example(cls) -> Self:
        """Make the usual pattern."""
        return cls("GRBG")
