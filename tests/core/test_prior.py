import pytest
import torch

from xhat.core import GaussianCode, Prior
from xhat.core.errors import ConfigError
from xhat.parts.priors.normal import Normal


def test_the_estimate_by_one_draw_agrees_with_the_closed_form_in_expectation():
    prior = Normal((3,))
    mean = torch.tensor([1.0, -0.5, 0.0], dtype=torch.float64).expand(20_000, 3)
    code = GaussianCode(mean, torch.tensor([-1.0, 0.5, 0.0], dtype=torch.float64).expand(20_000, 3))
    estimates = Prior.kl(prior, code)
    assert estimates.shape == (20_000,)
    error = estimates.std() / 20_000**0.5
    assert abs(estimates.mean() - prior.kl(code)[0]) < 4 * error
    assert error < 0.02


def test_the_estimate_is_differentiable_in_the_code():
    mean = torch.randn(4, 3, requires_grad=True)
    Prior.kl(Normal((3,)), GaussianCode(mean, torch.zeros(4, 3))).sum().backward()
    assert (mean.grad != 0).all()


def test_a_prior_without_a_kl_for_each_dimension_says_so():
    prior = Normal((3,))
    prior.fit(torch.randn(50, 3))
    with pytest.raises(ConfigError, match=r"Normal: knows no KL for each code dimension\. Use free_bits=0"):
        prior.kl_per_dimension(GaussianCode(torch.zeros(2, 3), torch.zeros(2, 3)))
