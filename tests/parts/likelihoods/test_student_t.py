import pytest
import torch
from scipy.stats import t as scipy_t
from torch.distributions import Normal
from torch.nn.functional import softplus

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.likelihoods.student_t import StudentT


@pytest.mark.parametrize(
    ("shape", "wide", "axis"), [((4,), (12,), 1), ((2, 5, 7), (6, 5, 7), 1), ((5, 2), (5, 6), 2), ((5, 1), (5, 3), 2)]
)
def test_every_element_has_a_t_of_its_own(shape, wide, axis):
    likelihood = StudentT(0.01, tail=2.5)
    assert likelihood.params(shape) == wide
    theta, x = torch.randn(3, *wide).double(), torch.randn(3, *shape).double()
    mean, s, d = theta.chunk(3, axis)
    expected = scipy_t(2.5 + softplus(d), mean, 0.01 + softplus(s)).logpdf(x)
    data = likelihood(theta)
    torch.testing.assert_close(data.log_prob(x), torch.from_numpy(expected).flatten(1).sum(1))
    assert torch.equal(data.mean, mean)


def test_draws_have_its_spread():
    theta = torch.tensor([2.0, 0.5, 1.0]).double().expand(200_000, 3)
    nu, sigma = 3 + softplus(theta[0, 2]), 0.001 + softplus(theta[0, 1])
    torch.manual_seed(0)
    drawn = StudentT()(theta).sample()
    assert float(drawn.mean()) == pytest.approx(2, abs=0.02)
    quartile = scipy_t(float(nu), 2, float(sigma)).ppf(0.9)
    assert float(drawn.quantile(0.9)) == pytest.approx(quartile, abs=0.02)


def test_with_a_long_tail_it_is_a_gaussian():
    theta, x = torch.tensor([[0.3, -0.2, 1e7]]).double(), torch.tensor([[1.1]]).double()
    expected = Normal(0.3, 1e-3 + softplus(torch.tensor(-0.2).double())).log_prob(x).sum(1)
    torch.testing.assert_close(StudentT()(theta).log_prob(x), expected, rtol=1e-5, atol=0)


def test_an_outlier_pulls_less_than_on_a_gaussian():
    """The gradient to the location falls as 1 / distance."""
    pulls = []
    for distance in (10.0, 1000.0):
        theta = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
        StudentT()(theta).log_prob(torch.tensor([[distance]]).double()).sum().backward()
        pulls.append(float(theta.grad[0, 0]))
    assert pulls[0] / pulls[1] == pytest.approx(100, rel=0.05)


def test_what_it_refuses():
    with pytest.raises(ConfigError, match="smallest must be > 0, got 0"):
        StudentT(0)
    with pytest.raises(ConfigError, match="tail must be > 1, got 1"):
        StudentT(tail=1)
    with pytest.raises(ShapeError, match=r"θ must hold three numbers an element, got \(2, 4\)"):
        StudentT()(torch.zeros(2, 4))
