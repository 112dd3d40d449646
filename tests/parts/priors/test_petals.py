import math

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from xhat.core.errors import ConfigError
from xhat.parts.priors.petals import Petals

K, R, A, B = 5, 3.0, 0.7, 0.2


@pytest.fixture
def petals():
    return Petals(K, radius=R, along=A, across=B)


def by_torch() -> MixtureSameFamily:
    angles = [2 * math.pi * k / K for k in range(K)]
    e = torch.tensor([[math.cos(a), math.sin(a)] for a in angles])
    across = torch.tensor([[-math.sin(a), math.cos(a)] for a in angles])
    covariance = A**2 * e[:, :, None] * e[:, None] + B**2 * across[:, :, None] * across[:, None]
    return MixtureSameFamily(Categorical(torch.ones(K)), MultivariateNormal(R * e, covariance))


def test_the_density_is_that_of_torchs_mixture(petals):
    z = 3 * torch.randn(50, 2)
    torch.testing.assert_close(petals.log_prob(z), by_torch().log_prob(z), rtol=1e-4, atol=1e-4)


def test_draws_of_a_class_have_its_petals_moments(petals):
    parts = by_torch().component_distribution
    for k in range(K):
        z = petals.sample_of(torch.full((20_000,), k))
        torch.testing.assert_close(z.mean(0), parts.mean[k], rtol=0, atol=0.03)
        torch.testing.assert_close(z.T.cov(), parts.covariance_matrix[k], rtol=0.05, atol=0.01)


def test_the_whole_has_every_petal_as_often(petals):
    z = petals.sample(20_000)
    nearest = torch.cdist(z, by_torch().component_distribution.mean).argmin(1)
    assert (torch.bincount(nearest, minlength=K) / 20_000 - 1 / K).abs().max() < 0.02


def test_its_own_moments_are_those_of_its_draws(petals):
    z = petals.sample(50_000)
    mean, covariance = petals.moments()
    torch.testing.assert_close(z.mean(0), mean, rtol=0, atol=0.06)
    torch.testing.assert_close(z.T.cov(), covariance, rtol=0.05, atol=0.05)


def test_moved_and_stretched_it_is_still_a_density(petals):
    petals.fit(torch.randn(1000, 2) @ torch.tensor([[2.0, 0.5], [0.0, 0.7]]) + torch.tensor([4.0, -1.0]))
    assert grid_integral(petals, 4.0, -1.0) == pytest.approx(1, abs=2e-3)


def grid_integral(prior, x, y, half=9.0, step=0.04):
    axis = torch.arange(-half, half, step) + step / 2
    points = torch.cartesian_prod(x + axis, y + axis)
    return sum(float(prior.log_prob(part).exp().double().sum()) for part in points.split(8192)) * step**2


@pytest.mark.parametrize("name", ["radius", "along", "across"])
def test_bad_arguments_are_refused(name):
    with pytest.raises(ConfigError, match=f"priors/petals: {name} must be > 0, got 0"):
        Petals(3, **{name: 0.0})
    with pytest.raises(ConfigError, match="priors/petals: classes must be >= 1, got 0"):
        Petals(0)
