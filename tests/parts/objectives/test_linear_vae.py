"""The optimum of a linear VAE is known: probabilistic PCA (Tipping and Bishop 1999; Lucas et al. 2019).

Its posterior is exact there, z | x ~ N(Λ⁻¹ Wᵀ (x - m), σ² Λ⁻¹) with W = U (Λ - σ²)^½ of the d leading eigenvectors
and σ² the mean of the other eigenvalues, so that the bound is the evidence itself.
"""

import pytest
import torch
from torch.distributions import MultivariateNormal

from xhat.core import Batch
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.objectives.beta_elbo import BetaELBO

D, d = 5, 2


@pytest.fixture
def x():
    scales = torch.tensor([3.0, 2.0, 0.6, 0.5, 0.4], dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(D, D, dtype=torch.float64)).Q
    return torch.randn(400, D, dtype=torch.float64) * scales @ rotation + 1


@pytest.fixture
def solution(x):
    """m, Λ, σ² and W."""
    values, vectors = torch.linalg.eigh(x.T.cov(correction=0))
    noise, leading = values[:-d].mean(), values[-d:]
    return x.mean(0), leading, noise, vectors[:, -d:] * (leading - noise).sqrt()


@pytest.fixture
def model(solution):
    m, leading, noise, W = solution
    bottleneck = Gaussian((d,))
    encoder, decoder = LinearEncoder((D,), bottleneck.in_shape), LinearDecoder((d,), (D,))
    model = Autoencoder(encoder, bottleneck, decoder, GaussianLikelihood(learned=True)).double()
    to_mean = W.T / leading[:, None]  # (d, D)
    with torch.no_grad():
        encoder.map.weight.copy_(torch.cat([to_mean, torch.zeros_like(to_mean)]))
        encoder.map.bias.copy_(torch.cat([-to_mean @ m, (noise / leading).log()]))
        decoder.map.weight.copy_(W)
        decoder.map.bias.copy_(m)
        model.likelihood.log_scale.copy_(0.5 * noise.log())
    return model


@pytest.fixture
def expected_loss(model, x, monkeypatch):
    # The loss is quadratic in the noise: its expectation is its mean over these 2 d points, without any error.
    points = d**0.5 * torch.cat([torch.eye(d), -torch.eye(d)]).double()

    def loss():
        losses = []
        for point in points:
            monkeypatch.setattr(torch, "randn_like", lambda std, point=point: point.expand_as(std))
            losses.append(BetaELBO()(model, Batch(x)).total)
        return torch.stack(losses).mean()

    return loss


def test_the_bound_is_the_evidence(x, solution, expected_loss):
    m, _, noise, W = solution
    evidence = MultivariateNormal(m, W @ W.T + noise * torch.eye(D, dtype=torch.float64)).log_prob(x)
    torch.testing.assert_close(expected_loss(), -evidence.mean(), rtol=1e-9, atol=0)


def test_the_gradient_is_zero(model, expected_loss):
    expected_loss().backward()
    assert max(float(p.grad.abs().max()) for p in model.parameters()) < 1e-9


def test_elsewhere_the_loss_is_higher(model, expected_loss):
    with torch.no_grad():
        best = expected_loss()
        for parameter in model.parameters():
            parameter += 0.05
            assert expected_loss() > best
            parameter -= 0.05


def test_training_from_a_random_start_reaches_it(x, solution):
    m, _, noise, W = solution
    evidence = MultivariateNormal(m, W @ W.T + noise * torch.eye(D, dtype=torch.float64)).log_prob(x).mean()
    bottleneck = Gaussian((d,))
    encoder, decoder = LinearEncoder((D,), bottleneck.in_shape), LinearDecoder((d,), (D,))
    model = Autoencoder(encoder, bottleneck, decoder, GaussianLikelihood(learned=True)).double()
    optimiser, steps = torch.optim.Adam(model.parameters(), 0.05), 300
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 0.05 * (1 - step / steps)
        optimiser.zero_grad()
        BetaELBO()(model, Batch(x)).total.backward()
        optimiser.step()
    draws = torch.stack([-BetaELBO()(model, Batch(x)).total.detach() for _ in range(100)])
    error = float(draws.std()) / 10
    assert float(evidence) - 0.02 - 4 * error < float(draws.mean()) < float(evidence) + 4 * error
