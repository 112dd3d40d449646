"""A code that is a direction: a von Mises-Fisher distribution on the unit sphere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import gammaln, ive
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.distributions import Beta
from torch.nn.functional import normalize

from xhat.core.posterior import Posterior

# Below this, exponentially scaled Bessel functions run out of double's range, and their series takes over. Where it
# does, this many terms are enough up to the largest size.
TINY, SERIES, LARGEST = 1e-280, 600, 3000

# Gauss-Legendre nodes of the integral that moves a draw.
NODES, WEIGHTS = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(48))


class SphereCode(Posterior):
    r"""The posterior :math:`q(z|x) = \mathrm{vMF}(z;\, \mu, \kappa)` over unit vectors in d dimensions.

    .. math:: q(z|x) = \frac{e^{\kappa \mu^T z}}{S_d\, M_d(\kappa)}, \qquad
              M_d(\kappa) = E_{z \sim U}[e^{\kappa z_1}]
                          = \Gamma(\tfrac d2) \big(\tfrac 2\kappa\big)^{d/2-1} I_{d/2-1}(\kappa)

    with :math:`S_d` the sphere's surface; :math:`A_d = I_{d/2} / I_{d/2-1}`, the derivative of log M, is the length of
    the mean of z.

    A draw is :math:`z = \mu \cos\theta + v \sin\theta`, with v uniform across μ. θ comes by rejection, whose own steps
    are not differentiated: an accepted proposal's law depends on κ, so a derivative through the proposal alone would
    be biased, and its correction is a score. θ is moved as its quantile moves instead, which is exact,

    .. math:: \frac{\partial \theta}{\partial \kappa} = -\frac{\partial F(\theta; \kappa) / \partial \kappa}{f(\theta;
              \kappa)}, \qquad f(\theta; \kappa) \propto e^{\kappa \cos\theta} \sin^{d-2}\theta

    Parameters
    ----------
    direction : Tensor of shape (B, d)
        μ, of length 1; also the deterministic code ``z``.
    kappa : Tensor of shape (B,)
        κ > 0, the concentration.

    References
    ----------
    Davidson et al., "Hyperspherical Variational Auto-Encoders", UAI 2018, algorithm 1. Wood, "Simulation of the von
    Mises Fisher Distribution", 1994, for the rejection. Figurnov et al., "Implicit Reparameterization Gradients",
    NeurIPS 2018, eq. 5.
    """

    def __init__(self, direction: Float[Tensor, "B d"], kappa: Float[Tensor, "B"]) -> None:
        super().__init__(direction)
        self.direction, self.kappa = direction, kappa

    def rsample(self, k: int = 1) -> Float[Tensor, "N d"]:
        """Draw `k` times for each row, as (k * B, d)."""
        mu, kappa = self.direction.repeat(k, 1), self.kappa.repeat(k)
        theta = _Angle.apply(kappa, mu.shape[1]).unsqueeze(1)  # type: ignore[no-untyped-call]  # (k*B, 1)
        across = normalize(torch.randn_like(mu[:, 1:]), dim=1)
        # The reflection that takes the pole ±e₁ on the other side of μ to μ: the two are never near each other, where
        # the mirror, and with it the gradient, would be lost.
        pole = torch.where(mu[:, :1] > 0, -1.0, 1.0)
        z = torch.cat([pole * torch.cos(theta), torch.sin(theta) * across], 1)
        mirror = normalize(torch.cat([mu[:, :1] - pole, mu[:, 1:]], 1), dim=1)
        return z - 2 * (z * mirror).sum(1, keepdim=True) * mirror

    def log_prob(self, z: Float[Tensor, "N d"], *, detached: bool = False) -> Float[Tensor, "N"]:
        """Log-density on the sphere's surface, in nats, of k draws a row, (k * B, d) as `rsample` stacks them."""
        mu, kappa = self.direction, self.kappa
        if detached:
            mu, kappa = mu.detach(), kappa.detach()
        k = len(z) // len(mu)
        mu, kappa = mu.repeat(k, 1), kappa.repeat(k)
        # κμᵀz = κ - κ|z - μ|²/2 for unit vectors: the large κ is taken off where it is exact.
        inner = -0.5 * kappa * ((z - mu) ** 2).sum(1)
        log_m: Tensor = _ScaledLogM.apply(kappa, z.shape[1])  # type: ignore[no-untyped-call]
        return inner - log_m - log_surface(z.shape[1])

    def kl_to_uniform(self) -> Float[Tensor, "B"]:
        r"""KL to the uniform distribution in nats, :math:`\kappa A_d(\kappa) - \log M_d(\kappa)`."""
        kl: Tensor = _KL.apply(self.kappa, self.direction.shape[1])  # type: ignore[no-untyped-call]
        return kl

    def entropy(self) -> Float[Tensor, "B"]:
        r"""Differential entropy on the surface in nats, :math:`\log S_d - \mathrm{KL}`."""
        return log_surface(self.direction.shape[1]) - self.kl_to_uniform()


def log_surface(d: int) -> float:
    r"""Log of the surface of the unit sphere in d dimensions, :math:`S_d = 2 \pi^{d/2} / \Gamma(d/2)`."""
    return math.log(2) + d / 2 * math.log(math.pi) - math.lgamma(d / 2)


def mean_length(kappa: Tensor, d: int) -> Tensor:
    """A_d(κ), without gradient, in double, on the CPU."""
    return _bessel(kappa, d)[1]


def _bessel(kappa: Tensor, d: int) -> tuple[Tensor, Tensor]:
    r"""Give :math:`\log M_d(\kappa) - \kappa` and :math:`A_d(\kappa)`, in double, on the CPU."""
    x, v = _double(kappa).numpy(), d / 2 - 1
    below, above = ive(v, x), ive(v + 1, x)  # e^-κ I
    small = (below < TINY) | (above < TINY)
    with np.errstate(all="ignore"):
        log_m = np.log(below) - v * np.log(x / 2) + gammaln(v + 1)
        ratio = above / below
    if small.any():
        log_f, log_g = _log_series(x[small], v), _log_series(x[small], v + 1)
        log_m[small], ratio[small] = log_f - x[small], x[small] / d * np.exp(log_g - log_f)
    return torch.from_numpy(log_m), torch.from_numpy(ratio)


def _double(kappa: Tensor) -> Tensor:
    """Give κ in double, on the CPU: not every device has doubles, and Bessel functions are the CPU's anyway."""
    return kappa.detach().cpu().double()


def _like(value: Tensor, kappa: Tensor) -> Tensor:
    """Give a value of the CPU as κ is."""
    return value.to(kappa.dtype).to(kappa.device)


def _log_series(x: Any, v: float) -> Any:
    r"""Log of :math:`\sum_n \frac{(x^2/4)^n}{n!\, (v+1)_n}`, whose terms are all positive."""
    n = np.arange(SERIES)
    log_terms = 2 * n * np.log(x[:, None] / 2) - gammaln(n + 1) - gammaln(v + 1 + n) + gammaln(v + 1)
    return np.logaddexp.reduce(log_terms, axis=1)


def _slope(kappa: Tensor, ratio: Tensor, d: int) -> Tensor:
    """Derivative of A: 1 - A² - (d-1) A / κ, in double, where the difference keeps its digits."""
    slope = 1 - ratio**2 - (d - 1) * ratio / kappa
    return torch.where(kappa < 1e-3, torch.full_like(kappa, 1 / d), slope)


class _KL(torch.autograd.Function):
    """κA - log M; its derivative κA' is written out, since A + κA' - A would lose its digits."""

    @staticmethod
    def forward(ctx: Any, kappa: Tensor, d: int) -> Tensor:
        log_m, ratio = _bessel(kappa, d)
        x = _double(kappa)
        ctx.save_for_backward(_like(x * _slope(x, ratio, d), kappa))
        return _like(x * (ratio - 1) - log_m, kappa)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.saved_tensors[0], None


class _ScaledLogM(torch.autograd.Function):
    """Log M - κ, whose derivative is A - 1."""

    @staticmethod
    def forward(ctx: Any, kappa: Tensor, d: int) -> Tensor:
        log_m, ratio = _bessel(kappa, d)
        ctx.save_for_backward(_like(ratio - 1, kappa))
        return _like(log_m, kappa)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.saved_tensors[0], None


class _Angle(torch.autograd.Function):
    """θ, drawn; its derivative is that of its quantile."""

    @staticmethod
    def forward(ctx: Any, kappa: Tensor, d: int) -> Tensor:
        theta = _drawn_angle(_double(kappa), d)
        ctx.save_for_backward(kappa, theta)
        ctx.d = d
        return _like(theta, kappa)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        kappa, theta = ctx.saved_tensors
        return gradient * _like(_angle_slope(_double(kappa), theta, ctx.d), kappa), None


def _drawn_angle(kappa: Tensor, d: int) -> Tensor:
    """Draw θ of each κ, in double on the CPU, by rejection (Wood's algorithm VM*)."""
    m = d - 1
    b = m / (2 * kappa + torch.sqrt(4 * kappa**2 + m**2))  # Wood's, without its difference of large numbers
    a = (m + 2 * kappa + torch.sqrt(4 * kappa**2 + m**2)) / 4
    c = 4 * a * b / (1 + b) - m * math.log(m)
    theta, left = torch.zeros_like(kappa), torch.arange(len(kappa))
    half = torch.full((), m / 2, dtype=kappa.dtype)
    while len(left):
        e = Beta(half, half).sample(left.shape)
        lower = 1 - (1 - b[left]) * e
        t = 2 * a[left] * b[left] / lower
        # Not refused, so that a κ which is no number gives an angle which is none, and is not drawn for ever.
        accepted = ~(m * torch.log(t) - t + c[left] < torch.log(torch.rand_like(e)))
        # cos θ = w = (1 - (1+b)e) / (1 - (1-b)e), by its half angle: 1 - w and 1 + w keep their digits.
        angle = 2 * torch.atan2(torch.sqrt(b[left] * e), torch.sqrt(1 - e))
        theta[left[accepted]] = angle[accepted]
        left = left[~accepted]
    return theta.clamp(1e-9, math.pi - 1e-9)


def _angle_slope(kappa: Tensor, theta: Tensor, d: int) -> Tensor:
    r"""∂θ/∂κ in double.

    .. math:: -\int_0^\theta (\cos s - A) \frac{f(s)}{f(\theta)}\, ds = \int_\theta^\pi (\cos s - A)
              \frac{f(s)}{f(\theta)}\, ds

    On the side of θ where A is not passed the integrand keeps its sign: nothing cancels.
    """
    far = 1 - mean_length(kappa, d)  # 1 - A
    inside = 1 - torch.cos(theta) <= far
    # log f bends down by κ cos s + (d-2) / sin² s: ten of its widths from θ nothing is left.
    width = 1 / torch.sqrt((kappa * torch.cos(theta)).clamp(min=1e-9) + (d - 2) / torch.sin(theta) ** 2)
    start, stop = (theta - 10 * width).clamp(min=0), (theta + 10 * width).clamp(max=math.pi)
    end = torch.where(inside, start, stop)
    s = theta[:, None] + (end - theta)[:, None] * (NODES + 1) / 2  # (N, 48)
    difference = -2 * torch.sin((s + theta[:, None]) / 2) * torch.sin((s - theta[:, None]) / 2)  # cos s - cos θ
    ratio = torch.exp(kappa[:, None] * difference) * (torch.sin(s) / torch.sin(theta)[:, None]) ** (d - 2)
    beyond = far[:, None] - 2 * torch.sin(s / 2) ** 2  # cos s - A
    return (beyond * ratio * WEIGHTS).sum(1) * (end - theta) / 2
