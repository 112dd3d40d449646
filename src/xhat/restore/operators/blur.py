"""Blur: convolution with any kernel, and what is known beyond the borders."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import ShapeError, require
from xhat.restore.operator import Operator
from xhat.restore.operators._fourier import convolve, spectrum

WHO = "operators/blur"
FROM_NUMPY = "use torch.from_numpy for an array"
BORDERS = ("valid", "circular", "replicate")


class Blur(Operator):
    r"""Convolve each channel with a kernel.

    .. math:: y_p = \sum_q k_q \, x_{p - q}

    Parameters
    ----------
    kernel : Tensor of shape (h, w)
        k, as it is convolved: turned by half a turn it is what is laid over the image. Its middle is [h // 2, w // 2].
    border : {"valid", "circular", "replicate"}
        valid: y is only what the image determines, h - 1 rows and w - 1 columns smaller; x is what lies beyond as well.
        circular: the image is a torus, and the data step has a closed form. replicate: beyond its border the image
        goes on as it ends.
    """

    kernel: Tensor

    def __init__(self, kernel: Tensor, border: str = "valid") -> None:
        super().__init__()
        require(isinstance(kernel, Tensor), WHO, "a kernel must be a tensor", type(kernel).__name__, FROM_NUMPY)
        shaped = kernel.ndim == 2 and kernel.numel() > 0
        require(shaped, WHO, "a kernel must be of shape (h, w)", tuple(kernel.shape), error=ShapeError)
        finite = bool(torch.isfinite(kernel).all()) and bool(kernel.any())
        require(finite, WHO, "a kernel must hold finite numbers, not all 0", hint="give weights that sum to 1")
        require(border in BORDERS, WHO, f"border must be one of {', '.join(BORDERS)}", f"'{border}'")
        self.border = border
        self.register_buffer("kernel", kernel)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H2 W2"]:
        """Blur images."""
        if self.border == "circular":
            return convolve(x, self._spectrum(x))
        if self.border == "replicate":
            rows, columns = self._beyond(x.shape[-2], 0), self._beyond(x.shape[-1], 1)
            x = x[..., rows[:, None], columns]
        self._check(x)
        return self._inner(convolve(x, self._spectrum(x)))

    def adjoint(self, y: Float[Tensor, "B C H2 W2"]) -> Float[Tensor, "B C H W"]:
        """Correlate with the kernel, and add up what went beyond the border."""
        if self.border == "circular":
            return convolve(y, self._spectrum(y).conj())
        x = self._outer(y)
        x = convolve(x, self._spectrum(x).conj())
        if self.border == "replicate":
            for axis, size in ((-2, y.shape[-2]), (-1, y.shape[-1])):
                whole = x.new_zeros(*x.shape[: x.ndim + axis], size, *x.shape[x.ndim + axis + 1 :])
                x = whole.index_add(axis, self._beyond(size, axis), x)
        return x

    def check(self, y: Float[Tensor, "B C H2 W2"]) -> None:
        """Refuse pictures that are smaller than the kernel: of all their light most came from outside."""
        self._check(y)

    def start(self, y: Float[Tensor, "B C H2 W2"]) -> Float[Tensor, "B C H W"]:
        """Give y itself; beyond its border it goes on as it ends."""
        if self.border != "valid":
            return y
        rows, columns = self._beyond(y.shape[-2], 0), self._beyond(y.shape[-1], 1)
        return y[..., rows[:, None], columns]

    def covered(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H2 W2"]:
        """Cut off what lies beyond the blurred picture."""
        return self._inner(x) if self.border == "valid" else x

    def prox(self, v: Float[Tensor, "B C H W"], y: Float[Tensor, "B C H2 W2"], rho: float) -> Float[Tensor, "B C H W"]:
        r"""On a torus give :math:`(\bar{\hat k} \hat y + \rho \hat v) / (|\hat k|^2 + \rho)`, transformed back."""
        if self.border != "circular":
            return super().prox(v, y, rho)
        k = self._spectrum(v)
        there = k.conj() * torch.fft.rfft2(y) + rho * torch.fft.rfft2(v)
        return torch.fft.irfft2(there / (k.abs() ** 2 + rho), s=v.shape[-2:])

    def _check(self, x: Tensor) -> None:
        fits = x.shape[-2] >= self.kernel.shape[0] and x.shape[-1] >= self.kernel.shape[1]
        rule = f"the kernel of {tuple(self.kernel.shape)} must not be larger than the image"
        require(fits, WHO, rule, tuple(x.shape[-2:]), "crop the kernel", error=ShapeError)

    def _spectrum(self, x: Tensor) -> Tensor:
        return spectrum(self.kernel.to(x.dtype), x.shape[-2], x.shape[-1])

    def _inner(self, x: Tensor) -> Tensor:
        """Take of a torus what did not wrap."""
        (h, w), (height, width) = self.kernel.shape, x.shape[-2:]
        top, left = h - 1 - h // 2, w - 1 - w // 2
        return x[..., top : height - h // 2, left : width - w // 2]

    def _outer(self, y: Tensor) -> Tensor:
        """Lay y into a torus of zeros: the transpose of `_inner`."""
        h, w = self.kernel.shape
        beyond = (w - 1 - w // 2, w // 2, h - 1 - h // 2, h // 2)
        return torch.nn.functional.pad(y, beyond)

    def _beyond(self, size: int, axis: int) -> Tensor:
        """Give the indices by which an axis goes on as it ends."""
        n = self.kernel.shape[axis]
        return torch.arange(-(n - 1 - n // 2), size + n // 2, device=self.kernel.device).clamp(0, size - 1)

    @classmethod
    def example(cls) -> Self:
        """Blur by a kernel without any symmetry."""
        return cls(torch.tensor([[0.1, 0.2, 0.0, 0.1], [0.0, 0.3, 0.1, 0.0], [0.05, 0.05, 0.1, 0.0]]))
