"""VAE/GAN: a copy is judged by what a discriminator sees in it, and not by its pixels."""

from __future__ import annotations

from typing import Self, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from xhat.core.batch import Batch
from xhat.core.encoder import Encoder
from xhat.core.errors import ShapeError, require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.posterior import Posterior
from xhat.core.schedule import Coefficient, coefficient
from xhat.core.shapes import per_row, spread
from xhat.parts.likelihoods.categorical import Categorical
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives._critic import checked, frozen

WHO = "VAEGAN"

# γ divides a gradient on its way to the encoder.
SMALLEST_GAMMA = 1e-4


class VAEGAN(Objective):
    r"""Train an encoder, a decoder and a discriminator, each by a loss of its own.

    .. math::
        L_{enc} &= \mathrm{KL}(q(z|x) \| p(z)) + R \\
        L_{dec} &= \gamma R - E[\log D(\tilde x)] - E[\log D(x_p)] \\
        L_{dis} &= -E[\log D(x)] - E[\log(1 - D(\tilde x))] - E[\log(1 - D(x_p))]

    with :math:`R = \tfrac12 \|D_l(x) - D_l(\tilde x)\|^2`, the copy's error in the discriminator's features
    :math:`D_l`; the copy :math:`\tilde x = g(z), z \sim q(z|x)`; and a new row :math:`x_p = g(z_p), z_p \sim p(z)`.
    Both are the means of p(x|z). No loss reaches another's net: the encoder is not told how to fool, the decoder
    weighs R by γ, and the discriminator learns by the game alone.

    The error of the rows themselves, ``distortion``, is watched and never minimised: it chooses the best epoch, since
    all else is measured by a discriminator that changes.

    Parameters
    ----------
    features : Encoder
        :math:`D_l`: a net from rows to a flat encoding, (F,).
    head : Encoder
        From features, (F,), to one logit, (1,).
    gamma : float or Schedule, default=1.0
        γ, what R counts for the decoder beside the game. Must be >= 0.0001.

    References
    ----------
    Larsen et al., "Autoencoding beyond Pixels Using a Learned Similarity Metric", ICML 2016, algorithm 1. Goodfellow
    et al., "Generative Adversarial Nets", 2014, section 3, for the decoder's loss, which does not saturate.
    """

    reads = Posterior
    monitor = ("distortion",)

    def __init__(self, features: Encoder, head: Encoder, gamma: Coefficient = 1.0) -> None:
        super().__init__()
        rule, hint = "the head must read the features", f"build it with in_shape={features.out_shape}"
        require(head.in_shape == features.out_shape, WHO, rule, head.in_shape, hint, error=ShapeError)
        checked(WHO, head, "the head")
        self.features, self.head = features, head
        hint = "a small one leaves the decoder to the game"
        self.gamma = coefficient(gamma, WHO, "gamma", lowest=SMALLEST_GAMMA, hint=hint)

    def check(self, model: Model) -> None:
        """Refuse symbols: through their mean, the likeliest one, no decoder can learn."""
        symbols = isinstance(model.likelihood, Categorical)
        require(not symbols, WHO, "needs rows of numbers; symbols have no derivative", hint="use objectives/beta_elbo")

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, γ R, the fooling term and the rate, (B,) each."""
        code = cast(Posterior, model.encode(batch))  # see `reads`
        z, gamma = code.rsample(), self.now(self.gamma)
        # γ R moves the decoder by γ; on the way to the encoder the gradient is divided by it again.
        data = model.decode(_slowed(z, 1 / gamma), batch)
        seen, copied = frozen(self.features, self._observed(batch, data.mean)), frozen(self.features, data.mean)
        error = 0.5 * per_row((seen - copied) ** 2)  # (B,)  R
        # The same copy from a fixed code, beside new rows: the game moves the decoder alone, and no learned prior.
        z_p = model.prior.sample(len(z))
        made = model.decode(torch.cat([z, z_p]).detach(), batch).mean  # (2B, *X)
        said = frozen(self.head, frozen(self.features, made)).squeeze(1).unflatten(0, (2, -1))
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask).detach(),
            features=gamma * error,
            fooling=softplus(-said).sum(0),
            rate=code.kl(model.prior),
            **code.terms,
        )

    def critic_parameters(self) -> list[nn.Parameter]:
        """List the discriminator's parameters."""
        return [*self.features.parameters(), *self.head.parameters()]

    def critic_loss(self, model: Model, batch: Batch) -> Loss:
        """Give the discriminator's three terms, (B,) each."""
        with torch.no_grad():
            z = model.encode(batch).rsample()
            made = model.decode(torch.cat([z, model.prior.sample(len(z))]), batch).mean  # (2B, *X)
            real = self._observed(batch, made[: len(z)])
        copied, new = self._logit(made).unflatten(0, (2, -1))  # (B,) each
        return Loss(real=softplus(-self._logit(real)), copied=softplus(copied), new=softplus(new))

    def _logit(self, x: Float[Tensor, "N *X"]) -> Float[Tensor, "N"]:
        logit: Tensor = self.head(self.features(x))
        return logit.squeeze(1)

    @staticmethod
    def _observed(batch: Batch, copy: Tensor) -> Tensor:
        """Put the copy's own entries where the rows' are hidden: they are then no difference."""
        if batch.mask is None:
            return batch.x
        return torch.where(spread(batch.mask, copy), batch.x, copy)

    @classmethod
    def example(cls) -> Self:
        """Tell rows of six numbers by four features."""
        features = MLPEncoder((6,), (4,), hidden=(8,))
        return cls(features, MLPEncoder((4,), (1,), hidden=(8,)), gamma=0.5)


def _slowed(z: Tensor, share: float) -> Tensor:
    """z, through which a gradient passes times `share`."""
    return z.detach() + share * (z - z.detach())
