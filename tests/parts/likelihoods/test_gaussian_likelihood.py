import math

import pytest
import torch
from torch.distributions import Normal

from xhat.core.errors import ConfigError
from xhat.parts.likelihoods.gaussian import SMALLEST, Gaussian


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_density_is_that_of_torch(scale, learned):
    theta, x = torch.randn(2, 4, 2, 3)
    expected = Normal(theta, scale).log_prob(x).sum((1, 2))
    torch.testing.assert_close(Gaussian(scale, learned=learned)(theta).log_prob(x), expected)


def test_at_scale_one_it_is_half_the_squared_error():
    theta, x = torch.randn(2, 4, 3)
    constant = 1.5 * math.log(2 * math.pi)
    expected = 0.5 * ((x - theta) ** 2).sum(1) + constant
    torch.testing.assert_close(-Gaussian()(theta).log_prob(x), expected)


def test_only_a_learned_scale_is_a_parameter():
    assert list(Gaussian(0.5).parameters()) == []
    (log_scale,) = Gaussian(0.5, learned=True).parameters()
    assert log_scale.exp().item() == pytest.approx(0.5)


def test_the_likeliest_scale_is_the_root_mean_square_error():
    theta, x = torch.randn(2, 500, 3, dtype=torch.float64)
    rms = float(((x - theta) ** 2).mean().sqrt())
    likelihood = Gaussian(rms, learned=True).double()
    likelihood.log_scale.data.fill_(math.log(rms))
    likelihood(theta).log_prob(x).mean().backward()
    assert abs(float(likelihood.log_scale.grad)) < 1e-9


def test_a_perfect_copy_does_not_drive_the_scale_below_its_floor():
    likelihood = Gaussian(1e-9, learned=True)
    x = torch.randn(2, 3)
    torch.testing.assert_close(likelihood(x).log_prob(x), Normal(x, SMALLEST).log_prob(x).sum(1))


def test_samples_have_the_mean_and_the_scale():
    theta = torch.tensor([[-1.0, 2.0]]).expand(40_000, 2)
    x = Gaussian(0.5)(theta).sample()
    torch.testing.assert_close(x.mean(0), theta[0], rtol=0, atol=0.02)
    torch.testing.assert_close(x.std(0), torch.full((2,), 0.5), rtol=0.02, atol=0)


def test_a_scale_of_zero_is_refused():
    with pytest.raises(ConfigError, match="likelihoods/gaussian: scale must be > 0, got 0"):
        Gaussian(0)
