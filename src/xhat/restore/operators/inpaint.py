"""Inpaint: pixels that were not seen."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import ShapeError, require
from xhat.restore.operator import Operator

WHO = "operators/inpaint"
# Passes of the mean of neighbours that fill gaps to begin with: each reaches one pixel further.
PASSES = 500


class Inpaint(Operator):
    r"""Keep some pixels, and set the others to 0.

    .. math:: y = m \odot x

    Parameters
    ----------
    mask : bool Tensor of shape (H, W), (C, H, W) or (B, C, H, W)
        m, True where a pixel was seen.
    """

    mask: Tensor

    contracts = True

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        hint = "use torch.from_numpy for an array"
        require(isinstance(mask, Tensor), WHO, "a mask must be a tensor of bool", type(mask).__name__, hint)
        shaped = mask.ndim in (2, 3, 4) and mask.dtype == torch.bool
        rule = "a mask must be of bool and of shape (H, W) or (C, H, W)"
        require(shaped, WHO, rule, f"{mask.dtype} of shape {tuple(mask.shape)}", error=ShapeError)
        require(bool(mask.any()), WHO, "some pixel must have been seen", "none", "True is what was seen")
        self.register_buffer("mask", mask)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Hide pixels."""
        came, hint = tuple(x.shape[-2:]), "give a mask of the image's size"
        size = tuple(self.mask.shape[-2:])
        require(came == size, WHO, f"the mask is of {size}, and so must images be", came, hint, error=ShapeError)
        many, channels = (1, 1, *self.mask.shape)[-4:-2]
        fits = many in (1, x.shape[0]) and channels in (1, x.shape[1])
        rule = f"a mask of shape {tuple(self.mask.shape)} must fit the images"
        require(fits, WHO, rule, tuple(x.shape), "give one of shape (H, W) for all", error=ShapeError)
        return torch.where(self.mask, x, 0.0)

    def adjoint(self, y: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Hide them again: A is its own adjoint."""
        return self(y)

    def start(self, y: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Fill gaps by the means of what is around them, from their rims inwards."""
        x, known = self(y), self.mask.to(y.dtype).expand_as(y).contiguous()
        pool = torch.nn.functional.avg_pool2d
        for _ in range(PASSES):
            if bool(known.all()):
                break
            seen = pool(known, 3, 1, 1)
            mean = pool(x * known, 3, 1, 1) / seen.clamp(min=1e-9)
            x = torch.where(known > 0, x, mean)
            known = torch.maximum(known, (seen > 0).to(y.dtype))
        return x

    def measured(self, y: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Hide what stands where nothing was seen."""
        return self(y)

    def noise(self, y: Float[Tensor, "B C H W"]) -> float:
        """Give none: among gaps nothing tells noise from texture."""
        return 0.0

    def prox(self, v: Float[Tensor, "B C H W"], y: Float[Tensor, "B C H W"], rho: float) -> Float[Tensor, "B C H W"]:
        r"""Give :math:`(m y + \rho v) / (m + \rho)`, pixel by pixel."""
        return torch.where(self.mask, (y + rho * v) / (1 + rho), v)

    @classmethod
    def example(cls) -> Self:
        """Hide every third pixel of images of 12 x 10."""
        return cls((torch.arange(120) % 3 > 0).view(12, 10))
