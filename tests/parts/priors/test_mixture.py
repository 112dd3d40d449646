import math

import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

from xhat.core import GaussianCode
from xhat.core.errors import ConfigError
from xhat.parts.priors.mixture import Mixture

CENTRES = torch.tensor([[-6.0, 0, 0], [6, 0, 0], [0, 6, 3]])


def blobs(n=600):
    y = torch.arange(n) % 3
    return CENTRES[y] + torch.randn(n, 3) * torch.tensor([0.5, 1.0, 0.8]), y


def moved(shape=(3,), components=3):
    prior = Mixture(shape, components)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
    return prior


def accuracy(found, y, clusters=3):
    counts = torch.zeros(clusters, clusters).index_put((found, y), torch.ones(len(y)), accumulate=True)
    assert len(counts.argmax(1).unique()) == clusters  # each cluster is of another class
    return counts.max(1).values.sum() / len(y)


def test_the_density_is_that_of_torch():
    prior, z = moved(), torch.randn(7, 3)
    parts = Independent(Normal(prior.means, prior.log_scales.exp()), 1)
    torch.testing.assert_close(
        prior.log_prob(z), MixtureSameFamily(Categorical(logits=prior.logits), parts).log_prob(z)
    )


def test_the_fitted_density_is_that_of_torch_and_of_sklearn():
    z, _ = blobs()
    z[:, 1] += z[:, 0]  # no diagonal covariance has this
    prior = Mixture((3,), 3)
    prior.fit(z)
    assert prior.full
    parts = MultivariateNormal(prior.means, scale_tril=prior.factor)
    torch.testing.assert_close(
        prior.log_prob(z), MixtureSameFamily(Categorical(logits=prior.logits), parts).log_prob(z), rtol=1e-4, atol=1e-4
    )
    other = GaussianMixture(3, random_state=0, n_init=3).fit(z.double().numpy())
    assert prior.log_prob(z).mean().item() == pytest.approx(other.score(z.double().numpy()), abs=1e-3)


def test_few_rows_leave_the_covariance_diagonal():
    prior = Mixture((8,), 4)
    prior.fit(torch.randn(60, 8))
    assert not prior.full
    assert prior.log_prob(torch.randn(5, 8)).isfinite().all()


@pytest.mark.parametrize("z", [torch.zeros(10, 3), torch.randn(2, 3), torch.randn(1, 3)], ids=["dead", "two", "one"])
def test_codes_without_spread_are_fitted_all_the_same(z):
    prior = Mixture((3,), 4)
    prior.fit(z)
    assert prior.log_prob(z).isfinite().all()
    assert prior.sample(5).isfinite().all()


def test_three_blobs_are_told_apart():
    z, y = blobs()
    for find in (lambda prior: prior.begin(z, z), lambda prior: prior.start(z), lambda prior: prior.fit(z)):
        prior = Mixture((3,), 3)
        find(prior)
        assert accuracy(prior.responsibilities(z).argmax(1), y) > 0.99
        torch.testing.assert_close(prior.shares.detach(), torch.full((3,), 1 / 3), rtol=0, atol=0.02)


def test_a_run_repeats():
    z, _ = blobs()
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        prior = Mixture((3,), 3)
        prior.begin(z, z)
        found.append(prior.means.detach().clone())
    assert torch.equal(*found)


def test_the_first_look_leaves_no_narrow_cluster():
    z = 0.01 * torch.randn(100, 3)
    prior = Mixture((3,), 3)
    prior.begin(z, z)
    assert (prior.log_scales.exp() >= 1).all()
    prior.start(z)
    assert (prior.log_scales.exp() < 0.1).all()


def test_a_look_moves_parameters_in_place():
    prior = Mixture((3,), 3)
    before = [id(p) for p in prior.parameters()]
    prior.begin(*[blobs()[0]] * 2)
    assert [id(p) for p in prior.parameters()] == before  # an optimiser holds them


def test_the_bound_with_an_explicit_cluster_is_the_marginal_one():
    # E_q(c|z)[log p(z, c) - log q(c|z)] = log p(z) for q(c|z) = p(c|z): below it for any other.
    prior, z = moved(), torch.randn(9, 3)
    joint, q = prior.log_joint(z), prior.responsibilities(z)
    torch.testing.assert_close((q * (joint - q.log())).sum(1), prior.log_prob(z))
    other = torch.softmax(torch.randn(9, 3), 1)
    assert ((other * (joint - other.log())).sum(1) < prior.log_prob(z)).all()
    torch.testing.assert_close(q.sum(1), torch.ones(9))


def test_the_kl_of_one_component_is_that_between_gaussians():
    prior = moved(components=1)
    code = GaussianCode(torch.randn(1, 3).expand(40_000, 3), torch.full((40_000, 3), -1.0))
    kl = code.kl(prior).detach()
    expected = torch.distributions.kl_divergence(
        Normal(code.mean[0], math.exp(-0.5)), Normal(prior.means[0], prior.log_scales[0].exp())
    ).sum()
    assert abs(kl.mean() - expected) < 4 * kl.std() / 200


def test_draws_of_given_clusters_are_of_those_clusters():
    z, _ = blobs()
    for full in (False, True):
        prior = Mixture((3,), 3)
        prior.fit(z) if full else prior.start(z)
        y = torch.arange(300) % 3
        assert torch.equal(prior.responsibilities(prior.sample_of(y)).argmax(1), y)


def test_a_spatial_code_keeps_its_shape():
    prior = Mixture((2, 3), 2)
    assert prior.sample(4).shape == (4, 2, 3)
    prior.fit(torch.randn(500, 2, 3))
    assert prior.sample(4).shape == (4, 2, 3)
    assert prior.log_prob(torch.randn(5, 2, 3)).shape == (5,)


def test_bad_arguments_are_refused():
    with pytest.raises(ConfigError, match="components must be >= 1, got 0"):
        Mixture((3,), 0)
    with pytest.raises(ConfigError, match="a full covariance is not learned with a model"):
        Mixture((3,), 2, full=True).begin(torch.randn(9, 3), torch.randn(9, 3))
