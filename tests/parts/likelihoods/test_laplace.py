import pytest
import torch
from torch.distributions import Laplace as Law

from xhat.core.errors import ConfigError
from xhat.parts.likelihoods.laplace import Laplace


@pytest.mark.parametrize("scale", [0.1, 2.0])
def test_density_is_that_of_torch_and_of_the_docstring(scale):
    theta, x = torch.randn(2, 4, 6)
    logs = Laplace(scale)(theta).log_prob(x)
    torch.testing.assert_close(logs, Law(theta, scale).log_prob(x).sum(1))
    torch.testing.assert_close(-logs, ((x - theta).abs() / scale + torch.tensor(2 * scale).log()).sum(1))


def test_an_outlier_pulls_no_harder_than_any_other_element():
    theta = torch.zeros(1, 2, requires_grad=True)
    Laplace()(theta).log_prob(torch.tensor([[1.0, 1000.0]])).backward()
    assert theta.grad.tolist() == [[1.0, 1.0]]


def test_a_scale_of_zero_is_refused():
    with pytest.raises(ConfigError, match="likelihoods/laplace: scale must be > 0, got 0"):
        Laplace(0)
