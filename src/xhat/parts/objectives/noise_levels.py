"""Denoising at every strength of noise, with an encoder that is told the strength."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.shapes import per_row, spread

WHO = "NoiseLevels"
# On pixels in [0, 1], good denoisers of photographs leave an error of about σ² / (1 + 96 σ): all of the noise where
# it is weak, an eighteenth part of it at σ = 50/255 (the published errors of BM3D at σ = 15, 25 and 50 lie within 8 %).
SLOPE = 96.0
# BT.601, as pictures are turned gray.
LUMINANCE = (0.299, 0.587, 0.114)


class NoiseLevels(Objective):
    r"""Give the clean row from a noisy one and σ, for σ from `least` to `most`.

    .. math:: L = E_{\sigma, \epsilon}\left[
                  \frac{\|x - \hat x(x + \sigma \epsilon, \sigma)\|^2}{D \sqrt{m(\sigma) \, m(b)}}\right],
              \qquad \sigma \sim U(a, b), \quad m(\sigma) = \frac{\sigma^2}{1 + 96 \sigma}

    The squared error's minimum is the posterior mean: by Tweedie's formula :math:`\hat x - \tilde x` is then
    :math:`\sigma^2` times the gradient of the log-density of noisy rows, which is what makes the model a prior.
    :math:`m` is the error that is to be expected at σ. Its root is the weight that a loss of absolute errors would
    give: with :math:`m` itself weak noise would lead and strong noise be learned late, without it weak noise never.

    Parameters
    ----------
    most, least : float, default=55/255 and 0.5/255
        b and a, in the scaled data's units. Must be > 0.
    gray : float, default=0
        The share of rows, images of 3 channels, that are shown gray: three times the luminance with three times the
        same noise. Must lie in [0, 1].

    References
    ----------
    Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", TPAMI 2021. Vincent, "A Connection
    Between Score Matching and Denoising Autoencoders", Neural Computation 2011. Bigdeli and Zwicker, "Image
    Restoration using Autoencoding Priors", 2017.
    """

    # Nothing is fitted to the codes, which are the rows themselves; and none begins at PCA.
    shapes_prior = True

    def __init__(self, *, most: float = 55 / 255, least: float = 0.5 / 255, gray: float = 0.0) -> None:
        super().__init__()
        rule = "most and least must be strengths of noise, 0 < least <= most"
        require(0 < least <= most, WHO, rule, f"{most:g} and {least:g}", "use 55/255 and 0.5/255 for photographs")
        require(0 <= gray <= 1, WHO, "gray must lie in [0, 1]", gray, "0.5 shows every other image gray")
        self.most, self.least, self.gray = most, least, gray

    def check(self, model: Model) -> None:
        """Refuse gray versions of what has no three channels."""
        shape = model.encoder.in_shape
        colour = len(shape) == 3 and shape[0] == 3
        require(colour or self.gray == 0, WHO, "gray versions are of images of 3 channels", shape, "use gray=0")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,)."""
        u = torch.rand(len(batch), dtype=batch.x.dtype, device=batch.x.device)
        sigma = self.least + (self.most - self.least) * u  # (B,)
        noise = torch.randn_like(batch.x)
        if self.gray > 0:
            batch, noise = self._grayed(batch, noise)
        seen = replace(batch, corrupted=batch.input + spread(sigma, noise) * noise, noise=sigma)
        code = model.encode(seen)
        data = model.decode(code.rsample(), seen)
        error = _squares(batch, data.mean)  # (B,)
        return Loss(distortion=error / (expected(sigma) * expected(self.most)) ** 0.5, **code.terms)

    def _grayed(self, batch: Batch, noise: Tensor) -> tuple[Batch, Tensor]:
        chosen = spread(torch.rand(len(batch), device=noise.device) < self.gray, noise)  # (B, 1, 1, 1)
        x, seen = (torch.where(chosen, luminance(rows), rows) for rows in (batch.x, batch.input))
        return replace(batch, x=x, corrupted=seen), torch.where(chosen, noise[:, :1], noise)

    @classmethod
    def example(cls) -> Self:
        """Learn from strong noise."""
        return cls(most=0.5, least=0.1)


def expected(sigma: Any) -> Any:
    """Give m, the mean squared error that a good denoiser of photographs leaves at strengths σ."""
    return sigma**2 / (1 + SLOPE * sigma)


def luminance(x: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 1 H W"]:
    """Give how bright a colour is."""
    return torch.einsum("bchw,c->bhw", x, x.new_tensor(LUMINANCE))[:, None]


def _squares(batch: Batch, copy: Tensor) -> Float[Tensor, "B"]:
    """Mean squared error of each row over its observed entries."""
    if batch.mask is None:
        return per_row((batch.x - copy) ** 2) / batch.x[0].numel()
    mask = spread(batch.mask, copy).expand_as(copy)
    # An unobserved entry may be NaN, whose gradient stays NaN even where its term is dropped.
    squares = (torch.where(mask, batch.x, 0.0) - torch.where(mask, copy, 0.0)) ** 2
    return per_row(squares) / per_row(mask.to(squares.dtype)).clamp(min=1)
