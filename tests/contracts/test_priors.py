"""What every prior keeps."""

import pytest
import torch
from exercise import copy, example, kinds

from xhat.core import GaussianCode, catalogue

EVERY = kinds("priors")


@pytest.fixture(params=EVERY)
def prior(request):
    return example(request.param)


def codes(prior, n):
    """Codes with another centre, spread and correlation than any prior starts from."""
    if not prior.continuous:
        return prior.sample(n)
    z = torch.randn(n, prior.code_shape[0]) * torch.linspace(0.5, 1.5, prior.code_shape[0]) + 1
    z[:, 0] += 0.8 * z[:, -1]
    return z


@pytest.mark.parametrize("n", [1, 7])
def test_samples_are_codes_with_a_density(prior, n):
    z = prior.sample(n)
    assert z.shape == (n, *prior.code_shape)
    assert prior.log_prob(z).shape == (n,)
    assert prior.log_prob(z).isfinite().all()


def test_a_code_has_the_same_density_in_any_batch(prior):
    z = prior.sample(5)
    torch.testing.assert_close(prior.log_prob(z)[1:3], prior.log_prob(z[1:3]))


def test_samples_are_likelier_than_codes_far_away(prior):
    z = prior.sample(100)
    assert prior.log_prob(z).mean() > prior.log_prob(z + 20).mean()


@pytest.mark.parametrize("kind", [kind for kind in EVERY if catalogue.find(kind).continuous])
def test_kl_of_a_posterior_is_not_negative_in_expectation(kind):
    prior = example(kind)
    for log_var in (-2.0, 0.0, 1.0):
        mean = prior.sample(1).detach().expand(2000, *prior.code_shape)
        kl = GaussianCode(mean, torch.full_like(mean, log_var)).kl(prior)
        assert kl.shape == (2000,)
        assert kl.mean() >= -4 * kl.std() / 2000**0.5


@pytest.mark.parametrize("kind", [kind for kind in EVERY if kind != "priors/uniform_sphere"])  # the same everywhere
def test_gradients_of_the_density_reach_the_codes(kind):
    prior = example(kind)
    z = prior.sample(5).detach().requires_grad_()
    prior.log_prob(z).sum().backward()
    assert z.grad.isfinite().all()
    assert (z.grad != 0).any()


def test_a_fitted_prior_draws_codes_of_the_same_moments(prior):
    z = codes(prior, 2000)
    prior.fit(z)
    with torch.no_grad():
        drawn = prior.sample(4000)
    torch.testing.assert_close(drawn.mean(0), z.mean(0), rtol=0.1, atol=0.15)
    torch.testing.assert_close(drawn.T.cov(), z.T.cov(), rtol=0.25, atol=0.25)


def test_a_fitted_prior_is_kept(prior):
    prior.fit(codes(prior, 500))
    z = codes(prior, 7)
    with torch.no_grad():
        assert torch.equal(copy(prior).log_prob(z), prior.log_prob(z))
