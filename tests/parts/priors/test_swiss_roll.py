import math

import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.priors.swiss_roll import SwissRoll


@pytest.fixture
def roll():
    return SwissRoll(10, radius=3.0, turns=2.0, noise=0.1)


def test_without_noise_draws_lie_on_the_spiral():
    z = SwissRoll(10, radius=3.0, turns=2.0, noise=1e-6).sample(500)
    root = z.norm(dim=1) / 3
    angle = torch.atan2(z[:, 1], z[:, 0])
    turned = torch.remainder(2 * math.pi * 2 * root - angle + math.pi, 2 * math.pi) - math.pi
    assert turned.abs().max() < 1e-2


def test_an_arc_of_a_class_is_its_share_of_t(roll):
    for k in (0, 4, 9):
        z = SwissRoll(10, noise=1e-6).sample_of(torch.full((500,), k))
        t = (z.norm(dim=1) / 3) ** 2
        assert k / 10 - 1e-4 <= t.min()
        assert t.max() <= (k + 1) / 10 + 1e-4


def test_the_density_is_the_integral_over_the_spiral_with_many_more_points(roll):
    z = roll.sample(40) + 0.1 * torch.randn(40, 2)
    t = ((torch.arange(200_000) + 0.5) / 200_000).double()
    root = t.sqrt()
    spiral = 3 * root[:, None] * torch.stack([torch.cos(4 * math.pi * root), torch.sin(4 * math.pi * root)], 1)
    squares = torch.cdist(z.double(), spiral) ** 2 / 0.01
    exact = torch.logsumexp(-squares / 2, 1) - math.log(2 * math.pi * 0.01 * 200_000)
    torch.testing.assert_close(roll.log_prob(z).double(), exact, rtol=0, atol=5e-3)


def test_the_density_integrates_to_one_moved_and_stretched_too(roll):
    assert grid_integral(roll, 4.0) == pytest.approx(1, abs=2e-3)
    roll.fit(torch.randn(1000, 2) @ torch.tensor([[1.5, 0.4], [0.0, 0.9]]))
    assert grid_integral(roll, 6.0) == pytest.approx(1, abs=2e-3)


def grid_integral(prior, half, step=0.04):
    axis = torch.arange(-half, half, step) + step / 2
    points = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        return sum(float(prior.log_prob(part).exp().double().sum()) for part in points.split(4096)) * step**2


def test_its_own_moments_are_those_of_its_draws(roll):
    z = roll.sample(50_000)
    mean, covariance = roll.moments()
    torch.testing.assert_close(z.mean(0), mean, rtol=0, atol=0.05)
    torch.testing.assert_close(z.T.cov(), covariance, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("name", ["radius", "turns", "noise"])
def test_bad_arguments_are_refused(name):
    with pytest.raises(ConfigError, match=f"priors/swiss_roll: {name} must be > 0, got 0"):
        SwissRoll(3, **{name: 0.0})
    with pytest.raises(ConfigError, match="priors/swiss_roll: classes must be >= 1, got 0"):
        SwissRoll(0)
