"""Blur and decimate: what a coarser sensor sees of an image that is a torus."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import ShapeError, require
from xhat.restore.operator import Operator
from xhat.restore.operators._fourier import convolve, spectrum

WHO = "operators/decimate"
FROM_NUMPY = "use torch.from_numpy for an array"


class Decimate(Operator):
    r"""Convolve each channel with a kernel and keep every s-th pixel of both axes.

    .. math:: y = (k \circledast x) \downarrow_s

    Parameters
    ----------
    kernel : Tensor of shape (h, w)
        k; its middle is [h // 2, w // 2].
    scale : int, default=2
        s. Must be >= 1.

    References
    ----------
    Zhao et al., "Fast Single Image Super-Resolution Using a New Analytical Solution for l2-l2 Problems", TIP 2016.
    """

    kernel: Tensor

    def __init__(self, kernel: Tensor, scale: int = 2) -> None:
        super().__init__()
        require(isinstance(kernel, Tensor), WHO, "a kernel must be a tensor", type(kernel).__name__, FROM_NUMPY)
        shaped = kernel.ndim == 2 and kernel.numel() > 0
        require(shaped, WHO, "a kernel must be of shape (h, w)", tuple(kernel.shape), error=ShapeError)
        require(
            isinstance(scale, int) and scale >= 1,
            WHO,
            "scale must be a whole number >= 1",
            scale,
            "2 halves both sides",
        )
        self.scale = scale
        self.register_buffer("kernel", kernel)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
        """Blur and decimate images whose sides are multiples of the scale."""
        fits = x.shape[-2] % self.scale == 0 and x.shape[-1] % self.scale == 0
        rule = f"the image's sides must be multiples of {self.scale}"
        require(fits, WHO, rule, tuple(x.shape[-2:]), "crop it", error=ShapeError)
        return convolve(x, self._spectrum(x))[..., :: self.scale, :: self.scale]

    def adjoint(self, y: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C H W"]:
        """Put zeros between the pixels and correlate."""
        x = self._apart(y)
        return convolve(x, self._spectrum(x).conj())

    def start(self, y: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C H W"]:
        """Enlarge bicubically, to where the kept pixels were."""
        x = torch.nn.functional.interpolate(y, scale_factor=self.scale, mode="bicubic", align_corners=False)
        # Interpolation puts a pixel's middle amid its block, decimation keeps the block's first.
        shift = (self.scale - 1) / 2
        rows, columns = (torch.arange(n, device=y.device) + shift for n in x.shape[-2:])
        at = torch.meshgrid((2 * rows + 1) / x.shape[-2] - 1, (2 * columns + 1) / x.shape[-1] - 1, indexing="ij")
        grid = torch.stack(at[::-1], -1).to(y.dtype).expand(len(y), -1, -1, -1)
        return torch.nn.functional.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def noise(self, y: Float[Tensor, "B C H W"]) -> float:
        """Give none: texture shrinks to what noise looks like; say sigma where there is noise."""
        return 0.0

    def prox(self, v: Float[Tensor, "B C H W"], y: Float[Tensor, "B C h w"], rho: float) -> Float[Tensor, "B C H W"]:
        r"""Solve by Woodbury: decimation folds the spectrum, so that :math:`A A^T` is diagonal there.

        .. math:: x = v + A^T (\rho + A A^T)^{-1} (y - A v)

        Written so, nothing is divided by ρ: at ρ = 1e-5 that took single precision's rounding for a part of the answer.
        """
        folded = torch.fft.fft2(y - self(v))
        k = torch.fft.fft2(torch.fft.irfft2(self._spectrum(v), s=v.shape[-2:]))  # (H, W), whole
        blocks = (k.abs() ** 2).unflatten(0, (self.scale, -1)).unflatten(2, (self.scale, -1))
        power = blocks.mean((0, 2))  # (h, w): AAᵀ in frequencies
        inner = torch.fft.ifft2(folded / (power + rho)).real
        return v + self.adjoint(inner)

    def _apart(self, y: Tensor) -> Tensor:
        x = y.new_zeros(*y.shape[:-2], y.shape[-2] * self.scale, y.shape[-1] * self.scale)
        x[..., :: self.scale, :: self.scale] = y
        return x

    def _spectrum(self, x: Tensor) -> Tensor:
        return spectrum(self.kernel.to(x.dtype), x.shape[-2], x.shape[-1])

    @classmethod
    def example(cls) -> Self:
        """Halve both sides after a kernel without any symmetry."""
        return cls(torch.tensor([[0.1, 0.2, 0.1], [0.0, 0.3, 0.1], [0.05, 0.05, 0.1]]), 2)
