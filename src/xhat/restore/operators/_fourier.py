"""Convolution on a torus: products of spectra."""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor


def spectrum(kernel: Float[Tensor, "h w"], height: int, width: int) -> Complex[Tensor, "H W2"]:
    """Transform a kernel whose middle, [h // 2, w // 2], lies at the origin; it wraps where it is larger."""
    rows = torch.arange(kernel.shape[0], device=kernel.device) - kernel.shape[0] // 2
    columns = torch.arange(kernel.shape[1], device=kernel.device) - kernel.shape[1] // 2
    at = (rows % height)[:, None] * width + columns % width
    torus = kernel.new_zeros(height * width).index_add(0, at.flatten(), kernel.flatten())
    return torch.fft.rfft2(torus.view(height, width))


def convolve(x: Float[Tensor, "B C H W"], k: Complex[Tensor, "H W2"]) -> Float[Tensor, "B C H W"]:
    """Convolve images with a kernel, given by its spectrum; by the conjugate they are correlated with it."""
    return torch.fft.irfft2(torch.fft.rfft2(x) * k, s=x.shape[-2:])
