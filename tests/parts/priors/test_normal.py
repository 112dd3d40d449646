import pytest
import torch
from torch.distributions import MultivariateNormal
from torch.distributions import Normal as Law

from xhat.core import GaussianCode
from xhat.parts.priors.normal import Normal


def correlated(n=500, dtype=torch.float32):
    return torch.randn(n, 3, dtype=dtype) @ torch.tensor([[2.0, 0, 0], [1, 0.5, 0], [0, -1, 1]], dtype=dtype) + 3


def test_the_standard_density_is_that_of_torch():
    z = torch.randn(5, 2, 3)
    torch.testing.assert_close(Normal((2, 3)).log_prob(z), Law(0.0, 1.0).log_prob(z).sum((1, 2)))


def test_the_fitted_density_is_that_of_torch():
    z, prior = correlated(), Normal((3,))
    prior.fit(z)
    expected = MultivariateNormal(z.mean(0), z.T.cov())
    torch.testing.assert_close(prior.log_prob(z), expected.log_prob(z), rtol=1e-4, atol=1e-3)


def test_fitting_a_spatial_code_keeps_its_shape():
    z, prior = torch.randn(200, 2, 3), Normal((2, 3))
    prior.fit(z)
    flat = z.flatten(1)
    assert prior.sample(4).shape == (4, 2, 3)
    expected = MultivariateNormal(flat.mean(0), flat.T.cov()).log_prob(flat)
    torch.testing.assert_close(prior.log_prob(z), expected, rtol=1e-4, atol=1e-3)


def test_fitted_samples_have_the_codes_moments():
    z, prior = correlated(), Normal((3,))
    prior.fit(z)
    drawn = prior.sample(40_000)
    torch.testing.assert_close(drawn.mean(0), z.mean(0), rtol=0, atol=0.06)
    torch.testing.assert_close(drawn.T.cov(), z.T.cov(), rtol=0.05, atol=0.1)


def test_the_fitted_kl_is_that_of_torch_in_expectation():
    prior = Normal((3,))
    prior.fit(correlated())
    mean = torch.randn(3)
    kl = GaussianCode(mean.expand(20_000, 3), torch.full((20_000, 3), -1.0)).kl(prior)
    posterior = MultivariateNormal(mean, torch.exp(torch.tensor(-1.0)) * torch.eye(3))
    expected = torch.distributions.kl_divergence(posterior, MultivariateNormal(prior.mean, scale_tril=prior.factor))
    assert abs(kl.mean() - expected) < 4 * kl.std() / 20_000**0.5


@pytest.mark.parametrize(
    "z",
    [torch.zeros(10, 3), torch.randn(2, 3), torch.randn(1, 3), torch.randn(50, 1) * torch.tensor([1.0, 0.0, 2.0])],
    ids=["dead", "fewer rows than dimensions", "one row", "dependent"],
)
def test_codes_without_full_rank_are_fitted_all_the_same(z):
    prior = Normal((3,))
    prior.fit(z)
    assert prior.log_prob(z).isfinite().all()
    assert prior.sample(5).isfinite().all()


@pytest.mark.parametrize("fitted", [False, True])
def test_a_double_prior_draws_and_judges_doubles(fitted):
    prior = Normal((3,)).double()
    if fitted:
        prior.fit(correlated(dtype=torch.float64))
    z = prior.sample(4)
    assert z.dtype == prior.log_prob(z).dtype == torch.float64


def test_an_unfitted_prior_stores_no_factor():
    assert list(Normal((3,)).state_dict()) == ["mean"]
    assert list(Normal((3,), fitted=True).state_dict()) == ["mean", "factor"]


def test_fitting_leaves_no_gradient_behind():
    z, prior = correlated().requires_grad_(), Normal((3,))
    prior.fit(z)
    assert not prior.mean.requires_grad
    assert not prior.factor.requires_grad
