"""The factors of a row with gaps, in closed form, beside any net that corrects them."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import require
from xhat.core.shapes import size
from xhat.parts.nets._factors import factors_given
from xhat.parts.nets._silence import silence
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder

WHO = "nets/factor_path"


class FactorPathEncoder(Encoder):
    r"""Begin at factor analysis: what was observed of a row tells the factors, whichever elements those are.

    .. math:: h = \big[E[z|x_o],\ \log \mathrm{diag}\, \mathrm{Cov}[z|x_o]\big] + f\big(E[z|x_o],\ x_o,\ o\big)

    with the mean and the covariance of :math:`x = W z + \mu + \epsilon`, for each row those of its own gaps. W, μ and
    the variances of ε are set and not learned; f sees which elements are there (o is 1 or 0). A plain net that is shown
    0 in the gaps has to learn all of that.

    Parameters
    ----------
    inner : Encoder
        f, from K + 2 D numbers to 2 K; its last layer is set to zero.

    References
    ----------
    Rubin and Thayer, "EM Algorithms for ML Factor Analysis", Psychometrika 1982.
    """

    reads_mask = True

    mean: Tensor
    loadings: Tensor
    noise: Tensor

    def __init__(self, inner: Encoder) -> None:
        super().__init__()
        k, odd = divmod(size(inner.out_shape), 2)
        d, rest = divmod(size(inner.in_shape) - k, 2)
        fits = not odd and not rest and d >= 1 and len(inner.in_shape) == 1
        came = f"{inner.in_shape} to {inner.out_shape}"
        require(fits, WHO, "needs a net from K + 2 D numbers to 2 K", came, "for D columns and K factors")
        self.inner = inner
        self.in_shape, self.out_shape = (d,), inner.out_shape
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("loadings", torch.eye(d, k))
        self.register_buffer("noise", torch.ones(d))
        silence(inner, WHO)

    @torch.no_grad()
    def start(self, mean: Float[Tensor, "D"], loadings: Float[Tensor, "D K"], noise: Float[Tensor, "D"]) -> None:
        """Set μ, W and the variances of ε."""
        self.mean.copy_(mean)
        self.loadings.copy_(loadings)
        self.noise.copy_(noise)

    def forward(self, x: Float[Tensor, "B D"], present: Bool[Tensor, "B D"] | None = None) -> Float[Tensor, "B H"]:
        """Encode rows with 0, or anything, in the gaps; no mask is for none."""
        seen = torch.ones_like(x) if present is None else present.to(x.dtype).expand_as(x)
        # Half precision has no factorisations.
        full = torch.promote_types(x.dtype, torch.float32)
        at = (part.to(full) for part in (x, seen, self.mean, self.loadings, self.noise))
        z, covariance = factors_given(*at)
        log_var = covariance.diagonal(dim1=1, dim2=2).log()  # (B, K)
        z, log_var = z.to(x.dtype), log_var.to(x.dtype)
        return torch.cat([z, log_var], 1) + self.inner(torch.cat([z, x * seen, seen], 1))

    @classmethod
    def example(cls) -> Self:
        """Two factors of three numbers."""
        return cls(MLPEncoder((8,), (4,), hidden=(8,)))


class FactorPathDecoder(Decoder):
    r"""θ = A z + c + g(z), with A and c set and not learned.

    Parameters
    ----------
    inner : Decoder
        g; its last layer is set to zero.
    """

    loadings: Tensor
    offset: Tensor

    def __init__(self, inner: Decoder) -> None:
        super().__init__()
        self.inner = inner
        self.in_shape, self.out_shape = inner.in_shape, inner.out_shape
        self.register_buffer("loadings", torch.eye(size(self.out_shape), size(self.in_shape)))
        self.register_buffer("offset", torch.zeros(size(self.out_shape)))
        silence(inner, WHO)

    @torch.no_grad()
    def start(self, loadings: Float[Tensor, "D K"], offset: Float[Tensor, "D"]) -> None:
        """Set A and c."""
        self.loadings.copy_(loadings)
        self.offset.copy_(offset)

    def forward(self, z: Float[Tensor, "B K"]) -> Float[Tensor, "B D"]:
        """Decode factors."""
        return z @ self.loadings.T + self.offset + self.inner(z)

    @classmethod
    def example(cls) -> Self:
        """Three numbers from two factors, a location each; the encoding that they mirror holds variances as well."""
        return cls(MLPDecoder((4,), (3,), hidden=(8,)))
