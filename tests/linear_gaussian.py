"""A linear-Gaussian model, whose evidence and posterior are known.

x = W z + m + s e with W's columns orthogonal, so that z | x ~ N(Λ⁻¹ Wᵀ (x - m), s² Λ⁻¹), Λ = WᵀW + s², is diagonal.
"""

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder

D, d = 4, 2
NOISE = 0.5


def exact_model() -> Autoencoder:
    """A model in float64 whose q(z|x) is the posterior."""
    bottleneck = Gaussian((d,))
    encoder, decoder = LinearEncoder((D,), bottleneck.in_shape), LinearDecoder((d,), (D,))
    model = Autoencoder(encoder, bottleneck, decoder, GaussianLikelihood(NOISE, learned=True)).double()
    W = torch.linalg.qr(torch.randn(D, d, dtype=torch.float64)).Q * torch.tensor([1.5, 0.8])
    m = torch.randn(D, dtype=torch.float64)
    precision = (W**2).sum(0) + NOISE**2  # Λ
    to_mean = W.T / precision[:, None]
    with torch.no_grad():
        encoder.map.weight.copy_(torch.cat([to_mean, torch.zeros_like(to_mean)]))
        encoder.map.bias.copy_(torch.cat([-to_mean @ m, (NOISE**2 / precision).log()]))
        decoder.map.weight.copy_(W)
        decoder.map.bias.copy_(m)
        model.likelihood.log_scale.fill_(math.log(NOISE))  # as float64 has it
    return model


def wrong_model(shift: float = 0.4) -> Autoencoder:
    """The same with a posterior that is off: its mean by `shift`, its variance by a half more."""
    model = exact_model()
    with torch.no_grad():
        model.encoder.map.bias[:d] += shift
        model.encoder.map.bias[d:] += math.log(1.5)
    return model


def rows(n: int) -> Tensor:
    return 1.5 * torch.randn(n, D, dtype=torch.float64)


def evidence(model: Autoencoder, x: Tensor) -> Tensor:
    """log p(x), of shape (B,)."""
    W, m = model.decoder.map.weight.detach(), model.decoder.map.bias.detach()
    covariance = W @ W.T + NOISE**2 * torch.eye(D, dtype=W.dtype)
    return MultivariateNormal(m, covariance).log_prob(x)
