"""A linear-Gaussian model, whose evidence and missing values are known in closed form."""

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from xhat.core import Batch
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder

D, Z, SIGMA = 5, 2, 0.6


def linear_gaussian() -> tuple[Autoencoder, Tensor, Tensor]:
    """A model in float64 with x ~ N(b, W Wᵀ + σ² I), b and that covariance; its posterior is rough on purpose."""
    torch.manual_seed(0)
    bottleneck = Gaussian((Z,))
    model = Autoencoder(
        LinearEncoder((D,), bottleneck.in_shape),
        bottleneck,
        LinearDecoder((Z,), (D,)),
        GaussianLikelihood(SIGMA),
    ).double()
    weights, offset = torch.randn(D, Z).double(), torch.randn(D).double()
    model.decoder.start(weights, offset)
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.mul_(0.3)
    return model.eval(), offset, weights @ weights.T + SIGMA**2 * torch.eye(D).double()


def rows_with_gaps(mean: Tensor, covariance: Tensor, n: int) -> Batch:
    torch.manual_seed(1)
    x = MultivariateNormal(mean, covariance).sample((n,))
    mask = torch.rand(n, D) < 0.5
    mask[0] = True
    mask[1] = False
    return Batch(x.masked_fill(~mask, torch.nan), mask=mask)


def given_observed(mean: Tensor, covariance: Tensor, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give log p(x_o), and the mean and covariance of x_m given x_o, of one row."""
    hidden = ~seen
    a, b = covariance[seen][:, seen], covariance[hidden][:, seen]
    off = x[seen] - mean[seen]
    gain = b @ torch.linalg.inv(a)
    log_p = MultivariateNormal(mean[seen], a).log_prob(x[seen]) if seen.any() else torch.zeros(()).double()
    return log_p, mean[hidden] + gain @ off, covariance[hidden][:, hidden] - gain @ b.T
