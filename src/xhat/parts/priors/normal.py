"""A normal prior: the standard one, or one fitted to the codes after training."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.gaussian_code import GaussianCode
from xhat.core.posterior import Posterior
from xhat.core.prior import Prior
from xhat.core.shapes import Shape, as_shape, per_row, size


class Normal(Prior):
    r"""p(z) = N(m, L Lᵀ), standard (m = 0, L = I) until `fit` is called.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    fitted : bool, default=False
        Whether m and L are the codes' moments. Set by `fit`; kept here so that a saved model knows its form.
    """

    mean: Tensor
    factor: Tensor

    def __init__(self, code_shape: Shape, *, fitted: bool = False) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "priors/normal")
        self.fitted = fitted
        # A factor only once fitted: the identity of a large spatial code would be the largest tensor of the model.
        self.register_buffer("mean", torch.zeros(size(self.code_shape)))
        self.register_buffer("factor", torch.eye(size(self.code_shape)) if fitted else None)

    def sample(self, n: int) -> Tensor:
        """Draw `n` codes, (n, *code_shape)."""
        shape = (n, size(self.code_shape))
        noise = torch.randn(shape, dtype=self.mean.dtype, device=self.mean.device)  # (n, d)
        if self.fitted:
            noise = self.mean + noise @ self.factor.T
        return noise.view(n, *self.code_shape)

    def log_prob(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N"]:
        """Log-density in nats."""
        flat = z.flatten(1)  # (N, d)
        log_det = flat.new_zeros(())
        if self.fitted:
            flat = torch.linalg.solve_triangular(self.factor, (flat - self.mean).T, upper=False).T
            log_det = self.factor.diagonal().log().sum()
        return per_row(-0.5 * (flat**2 + math.log(2 * math.pi))) - log_det

    def kl(self, code: Posterior) -> Float[Tensor, "B"]:
        """KL(q || p) in nats: closed form between a Gaussian code and the standard normal."""
        if isinstance(code, GaussianCode) and not self.fitted:
            return per_row(code.kl_per_dimension())
        return super().kl(code)

    def kl_per_dimension(self, code: Posterior) -> Float[Tensor, "B *Z"]:
        """KL(q || p) in nats of every code dimension: closed form, as that of `kl`."""
        if isinstance(code, GaussianCode) and not self.fitted:
            return code.kl_per_dimension()
        return super().kl_per_dimension(code)

    def fit(self, z: Float[Tensor, "N *Z"]) -> None:
        """Take the mean and the covariance of codes."""
        flat = z.detach().flatten(1).cpu().double()  # (N, d)  Not every device has doubles.
        mean = flat.mean(0)
        covariance = (flat - mean).T @ (flat - mean) / max(len(flat) - 1, 1)
        # Shrunk by a hair, so that dead code dimensions or few rows leave it invertible.
        ridge = 1e-6 * covariance.diagonal().mean().clamp(min=1e-6)
        factor = torch.linalg.cholesky(covariance + ridge * torch.eye(len(mean), dtype=flat.dtype))
        self.fitted = True
        # Row after row, as it is read from a file: in another order its product is rounded otherwise.
        self.mean, self.factor = mean.to(self.mean), factor.to(self.mean).contiguous()

    @classmethod
    def example(cls) -> Self:
        """Make a standard normal over three numbers."""
        return cls((3,))
