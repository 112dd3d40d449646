import pytest
import torch
from torch.distributions import Gamma, Normal, Poisson

from xhat.core import DataDistribution


def test_log_density_is_the_sum_over_a_rows_elements():
    law = Normal(torch.randn(4, 2, 3), 0.7)
    x = torch.randn(4, 2, 3)
    torch.testing.assert_close(DataDistribution(law).log_prob(x), law.log_prob(x).sum((1, 2)))


def test_masked_elements_are_left_out_of_the_sum():
    law = Normal(torch.zeros(1, 3), 1.0)
    x, mask = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[True, False, True]])
    torch.testing.assert_close(DataDistribution(law).log_prob(x, mask), law.log_prob(x)[:, [0, 2]].sum(1))


@pytest.mark.parametrize("law", [Gamma, Normal])
def test_a_hidden_nan_leaves_the_gradient_a_number(law):
    first = torch.ones(2, 3, requires_grad=True)
    mask = torch.tensor([[True, False, True], [False, True, True]])
    x = torch.full((2, 3), 2.0).masked_fill(~mask, torch.nan)
    DataDistribution(law(first, torch.tensor(1.0), validate_args=False)).log_prob(x, mask).sum().backward()
    assert first.grad.isfinite().all()
    assert torch.equal(first.grad != 0, mask)


def test_whole_numbers_stay_whole_under_a_mask():
    law = Poisson(torch.full((1, 2), 3.0), validate_args=False)
    x, mask = torch.tensor([[4, -9]]), torch.tensor([[True, False]])
    torch.testing.assert_close(DataDistribution(law).log_prob(x, mask), law.log_prob(torch.tensor([[4, 4]]))[:, 0])


def test_a_sample_carries_no_gradient():
    class Reparameterised(Normal):
        sample = Normal.rsample

    law = Reparameterised(torch.zeros(2, 3, requires_grad=True), 1.0)
    assert not DataDistribution(law).sample().requires_grad
