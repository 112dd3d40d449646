import pytest
import torch

from xhat.core import Loss
from xhat.core.errors import ConfigError, ShapeError


def test_the_total_is_the_sum_of_row_means_and_batch_terms():
    loss = Loss(distortion=torch.tensor([1.0, 3.0]), mmd=torch.tensor(0.5))
    assert loss.total == 2.5
    assert loss.means() == {"distortion": 2.0, "mmd": 0.5}


def test_a_single_term_is_its_own_total():
    assert Loss(distortion=torch.tensor([1.0, 2.0])).total == 1.5


def test_weights_average_row_terms_and_leave_batch_terms():
    loss = Loss(rate=torch.tensor([1.0, 3.0]), mmd=torch.tensor(0.5)).weighted(torch.tensor([3.0, 1.0]))
    assert loss.means() == {"rate": 1.5, "mmd": 0.5}
    assert loss.total == 2.0


def test_equal_weights_of_any_size_change_nothing():
    terms = torch.randn(5)
    plain = Loss(rate=terms)
    torch.testing.assert_close(plain.weighted(torch.full((5,), 7.0)).total, plain.total)
    assert torch.equal(plain.weighted(None).total, plain.total)


def test_where_no_row_has_any_weight_a_mean_is_zero_and_so_is_its_gradient():
    rate = torch.tensor([1.0, 3.0], requires_grad=True)
    total = Loss(rate=rate).weighted(torch.zeros(2)).total
    total.backward()
    assert total == 0
    assert torch.equal(rate.grad, torch.zeros(2))


def test_weighting_makes_a_new_loss():
    loss = Loss(rate=torch.tensor([1.0, 3.0]))
    loss.weighted(torch.tensor([1.0, 0.0]))
    assert loss.total == 2.0


def test_gradients_pass_through_the_total():
    rate = torch.ones(4, requires_grad=True)
    Loss(rate=rate, other=rate.sum()).total.backward()
    torch.testing.assert_close(rate.grad, torch.full((4,), 1.25))


def test_a_loss_without_terms_is_refused():
    with pytest.raises(ConfigError, match="Loss: needs at least one term"):
        Loss()


def test_a_term_that_is_not_summed_is_refused_by_name():
    with pytest.raises(ShapeError, match=r"term 'rate' must be of shape \(B,\) or \(\), got \(2, 3\)"):
        Loss(rate=torch.ones(2, 3))


def test_the_name_of_the_sum_is_reserved():
    with pytest.raises(ConfigError, match="no term may be named 'total'"):
        Loss(total=torch.ones(2))
