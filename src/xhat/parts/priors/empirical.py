"""The codes themselves, each blurred a little: a kernel density estimate."""

from __future__ import annotations

import math
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import require
from xhat.core.prior import Prior
from xhat.core.shapes import Shape, as_shape, per_row, size

# Pairs of a code and a kept one that are held at once.
TOGETHER = 2**22


class Empirical(Prior):
    r"""A small Gaussian around each of n codes; the standard normal until `fit` is called.

    .. math:: p(z) = \frac1n \sum_{i=1}^n N(z;\, z_i, h^2 S), \qquad h = b\, n^{-1/(d+4)}

    with S the codes' covariance and h Scott's bandwidth times b. Draws have the covariance (1 + h²) S.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    most : int, default=2000
        `fit` keeps at most this many codes, drawn at random.
    bandwidth : float, default=1.0
        b. Towards 0 the codes themselves are drawn.
    kept : int, default=0
        n. Set by `fit`; kept here so that a saved model knows its form.

    References
    ----------
    Scott, "Multivariate Density Estimation", 1992, section 6.3.
    """

    codes: Tensor
    centre: Tensor
    factor: Tensor

    def __init__(self, code_shape: Shape, most: int = 2000, *, bandwidth: float = 1.0, kept: int = 0) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "priors/empirical")
        require(most >= 1, "priors/empirical", "most must be >= 1", most, "2000 suits most codes")
        require(bandwidth > 0, "priors/empirical", "bandwidth must be > 0", bandwidth, "use 0.1 for a tenth of Scott's")
        self.most, self.bandwidth, self.kept = most, bandwidth, kept
        d = size(self.code_shape)
        self.register_buffer("centre", torch.zeros(d))
        self.register_buffer("factor", torch.eye(d) if kept else None)  # h L, with S = L Lᵀ
        self.register_buffer("codes", torch.zeros(kept, d) if kept else None)  # (hL)⁻¹ (zᵢ - centre)

    def sample(self, n: int) -> Tensor:
        """Draw `n` codes, (n, *code_shape)."""
        z = torch.randn(n, len(self.centre), dtype=self.centre.dtype, device=self.centre.device)  # (n, d)
        if self.kept:
            z = self.centre + (self.codes[torch.randint(self.kept, (n,)).to(z.device)] + z) @ self.factor.T
        return z.view(n, *self.code_shape)

    def log_prob(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N"]:
        """Log-density in nats."""
        flat = z.flatten(1)  # (N, d)
        constant = -0.5 * flat.shape[1] * math.log(2 * math.pi)
        if not self.kept:
            return constant - 0.5 * per_row(flat**2)
        # Where each kernel is a standard normal.
        flat = torch.linalg.solve_triangular(self.factor, (flat - self.centre).T, upper=False).T
        log_det = self.factor.diagonal().log().sum()
        parts = flat.split(max(1, TOGETHER // self.kept))
        return torch.cat([self._log_mean(part) for part in parts]) + constant - log_det

    def _log_mean(self, z: Float[Tensor, "N d"]) -> Float[Tensor, "N"]:
        # Not by |z|² + |c|² - 2 z·c: under a narrow kernel all three are large, and their difference is rounding.
        apart = torch.cdist(z, self.codes, compute_mode="donot_use_mm_for_euclid_dist")  # (N, n)
        return torch.logsumexp(-0.5 * apart**2, 1) - math.log(self.kept)

    @torch.no_grad()
    def fit(self, z: Float[Tensor, "N *Z"]) -> None:
        """Keep some of the codes, and measure their covariance."""
        flat = z.detach().flatten(1).cpu().double()  # (N, d)  Not every device has doubles.
        flat = flat[torch.randperm(len(flat))[: self.most]]
        n, d = flat.shape
        centre = flat.mean(0)
        covariance = (flat - centre).T @ (flat - centre) / max(n - 1, 1)
        # Shrunk by a hair, so that dead code dimensions or few rows leave it invertible.
        ridge = 1e-6 * covariance.diagonal().mean().clamp(min=1e-6)
        factor = torch.linalg.cholesky(covariance + ridge * torch.eye(d, dtype=flat.dtype))
        factor = self.bandwidth * n ** (-1 / (d + 4)) * factor
        codes = torch.linalg.solve_triangular(factor, (flat - centre).T, upper=False).T
        self.kept = n
        like = self.centre
        self.centre, self.factor, self.codes = (part.to(like).contiguous() for part in (centre, factor, codes))

    @classmethod
    def example(cls) -> Self:
        """Keep at most a thousand codes of three numbers."""
        return cls((3,), 1000)
