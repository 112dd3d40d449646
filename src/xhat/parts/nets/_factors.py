"""What a few common factors are likely to be, given the elements of a row that were observed."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def factors_given(
    x: Float[Tensor, "N D"],
    seen: Float[Tensor, "N D"],
    mean: Float[Tensor, "D"],
    loadings: Float[Tensor, "D K"],
    noise: Float[Tensor, "D"],
) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N K K"]]:
    r"""Give the mean and the covariance of :math:`z | x_o` under :math:`x = W z + \mu + \epsilon`.

    .. math:: C = (I + W_o^T \Psi_o^{-1} W_o)^{-1}, \qquad E[z] = C W_o^T \Psi_o^{-1} (x_o - \mu_o)

    Parameters
    ----------
    x : Tensor of shape (N, D)
        Rows, with any number in their gaps.
    seen : Tensor of shape (N, D)
        1 where an element was observed, else 0.
    mean, loadings, noise : Tensor
        :math:`\mu`, W and the diagonal of :math:`\Psi`.
    """
    k = loadings.shape[1]
    scaled = loadings / noise[:, None]  # (D, K)  Ψ⁻¹ W
    outer = (scaled[:, :, None] * loadings[:, None, :]).flatten(1)  # (D, K*K)
    precision = (seen @ outer).unflatten(1, (k, k)) + torch.eye(k, dtype=x.dtype, device=x.device)
    covariance = torch.cholesky_inverse(torch.linalg.cholesky(precision))  # (N, K, K)
    pulled = ((x - mean) * seen) @ scaled  # (N, K)
    return (covariance @ pulled[..., None])[..., 0], covariance
