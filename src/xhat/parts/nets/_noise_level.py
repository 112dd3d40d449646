"""How strong the noise of an image is, told from the image alone."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

# The median of |n| for n ~ N(0, 1).
MEDIAN = 0.67449


def noise_level(x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
    r"""Estimate the standard deviation of white Gaussian noise.

    .. math:: \hat\sigma = \mathrm{median}_p |d_p| \, / \, 0.6745, \qquad
              d = \tfrac12 (x_{i,j} - x_{i,j+1} - x_{i+1,j} + x_{i+1,j+1})

    d is the finest diagonal detail of Haar's wavelet: noise passes it with its own strength, smooth surfaces and
    straight edges do not, and the median passes over the rest. It errs high on fine texture.

    Parameters
    ----------
    x : Tensor of shape (B, C, H, W)
        Images; of less than 2 pixels a side nothing can be told, and 0 is given.

    References
    ----------
    Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", Biometrika 1994.
    """
    if min(x.shape[-2:]) < 2:
        return x.new_zeros(len(x))
    d = 0.5 * (x[..., :-1, :-1] - x[..., :-1, 1:] - x[..., 1:, :-1] + x[..., 1:, 1:])
    return d.abs().flatten(1).median(1).values / MEDIAN
