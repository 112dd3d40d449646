"""Normalised pixels: each patch of an image is judged in units of its own contrast, as in masked autoencoders."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from xhat.core.data_distribution import DataDistribution
from xhat.core.errors import ShapeError, require
from xhat.core.likelihood import Likelihood
from xhat.core.shapes import Shape, per_row, spread

WHO = "likelihoods/norm_pix"

# He et al.'s: a patch without contrast is divided by 1e-3 and not by 0.
EPSILON = 1e-6

LOG_2PI = math.log(2 * math.pi)


class NormPix(Likelihood):
    r"""A patch of x by its mean, its standard deviation and its pixels in units of them.

    .. math:: -\log p = \sum_{\mathrm{patches}} \Big[ \sum_{i=1}^P \tfrac12 (n_{x,i} - n_i)^2
              + \frac{(m_x - m)^2}{2 \tau^2} + \tfrac12 (\log s_x - \log s)^2
              + \log \tau + \tfrac{P + 2}{2} \log 2\pi \Big]

    where :math:`m_x` is the mean of a patch's P values in all channels, :math:`s_x = \sqrt{\mathrm{var} + 10^{-6}}`
    and :math:`n_x = (x - m_x) / s_x`. θ holds n in its first C channels; its last two, averaged over each patch, are
    m and log s. A flat patch of faint texture so counts as much as one of high contrast. The reconstruction is in
    the units of x again: :math:`\hat x = m + s\, n`.

    It is a density of the normalised quantities (n, m, log s) and not of x: compare it only with itself. Patches on
    the lower and right border may be cut. Statistics are those of the entries that are there: where some of a
    patch's are masked, of the others.

    Parameters
    ----------
    patch : int, default=4
        Pixels on a patch's side; the net's and the corruption's own.
    tau : float, default=0.1
        τ, how far m may be off, in the scaled data's units. Must be > 0.

    References
    ----------
    He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022, for the normalised targets; they do not
    predict m and s, and thus no image.
    """

    normalised = False

    x_shape: Shape = (2, 5, 7)
    """Of the rows that the example is tried on; any image will do."""

    def __init__(self, patch: int = 4, *, tau: float = 0.1) -> None:
        super().__init__()
        require(patch >= 1, WHO, "patch must be >= 1", patch, "use the net's patch")
        require(tau > 0, WHO, "tau must be > 0", tau, "0.1 suits pixels in [0, 1]")
        self.patch, self.tau = patch, tau

    def params(self, x_shape: Shape) -> Shape:
        """Give two channels more than x has: (C + 2, H, W)."""
        hint = "use likelihoods/gaussian, which takes any shape"
        require(len(x_shape) == 3, WHO, "needs images of shape (C, H, W)", tuple(x_shape), hint, error=ShapeError)
        return (x_shape[0] + 2, *x_shape[1:])

    def forward(self, theta: Float[Tensor, "B _C H W"]) -> DataDistribution:
        """Read θ (B, C + 2, H, W) as n, m and log s."""
        require(
            theta.ndim == 4 and theta.shape[1] >= 3,
            WHO,
            "θ must be (B, C + 2, H, W)",
            tuple(theta.shape),
            "give the decoder the out_shape that params(x_shape) says",
            error=ShapeError,
        )
        return _Patchwork(_Patches(theta, self.patch, self.tau))

    @classmethod
    def example(cls) -> Self:
        """Judge patches of three pixels a side, of images whose size is no multiple."""
        return cls(3, tau=0.5)


class _Patchwork(DataDistribution):
    """Images whose patches are measured by the entries that are there."""

    law: _Patches

    def log_prob(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        there = torch.ones_like(x, dtype=torch.bool) if mask is None else mask
        there = spread(there, x).expand_as(x)
        # What is masked may be NaN, whose gradient would stay NaN even where its term is dropped.
        terms = self.law.terms(torch.where(there, x, 0.0), there)
        return per_row(torch.where(there, terms, 0.0))


class _Statistics(NamedTuple):
    """Of each patch, (B, 1, rows, columns), over all channels."""

    entries: Tensor
    mean: Tensor
    log_scale: Tensor


class _Patches:
    """Patches by their pixels n (B, C, H, W), and their m and log s (B, 1, rows, columns)."""

    def __init__(self, theta: Tensor, patch: int, tau: float) -> None:
        self.patch, self.tau = patch, tau
        self.n = theta[:, :-2]
        count = self._sum(torch.ones_like(theta[:, :1]))
        self.m, self.log_s = self._sum(theta[:, -2:-1]) / count, self._sum(theta[:, -1:]) / count

    @property
    def mean(self) -> Tensor:
        return self._image(self.n, self.m, self.log_s)

    def log_prob(self, value: Tensor) -> Tensor:
        return self.terms(value, torch.ones_like(value, dtype=torch.bool))

    def terms(self, x: Float[Tensor, "B C H W"], there: Bool[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Give each entry its pixel's term and an even share of its patch's."""
        entries, m, log_s = self._measured(x, there)
        n = (x - self._spread(m)) * self._spread(torch.exp(-log_s))
        pixel = -0.5 * (n - self.n) ** 2 - 0.5 * LOG_2PI
        patch = -0.5 * ((m - self.m) / self.tau) ** 2 - 0.5 * (log_s - self.log_s) ** 2 - math.log(self.tau) - LOG_2PI
        return pixel + self._spread(patch / entries)

    def sample(self) -> Tensor:
        n, m, log_s = (torch.randn_like(values) for values in (self.n, self.m, self.log_s))
        return self._image(self.n + n, self.m + self.tau * m, self.log_s + log_s)

    def _image(self, n: Tensor, m: Tensor, log_s: Tensor) -> Tensor:
        return self._spread(m) + self._spread(torch.exp(log_s)) * n

    def _measured(self, x: Tensor, there: Tensor) -> _Statistics:
        entries = self._sum(there.to(x.dtype)).clamp(min=1)
        m = self._sum(x) / entries  # what is not there is 0
        off = torch.where(there, x - self._spread(m), 0.0)
        return _Statistics(entries, m, 0.5 * torch.log(self._sum(off**2) / entries + EPSILON))

    def _sum(self, values: Tensor) -> Tensor:
        """Sum over each patch and all channels, (B, C, H, W) -> (B, 1, rows, columns); the border's may be cut."""
        return avg_pool2d(values.sum(1, keepdim=True), self.patch, ceil_mode=True, divisor_override=1)

    def _spread(self, values: Tensor) -> Tensor:
        """Give every pixel what its patch has, (B, 1, rows, columns) -> (B, 1, H, W)."""
        pixels = values.repeat_interleave(self.patch, 2).repeat_interleave(self.patch, 3)
        return pixels[:, :, : self.n.shape[2], : self.n.shape[3]]
