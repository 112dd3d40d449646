import pytest
import torch

from xhat.metrics.sparsity import sparsity


def test_active_and_dead_units_are_counted():
    z = torch.tensor([[1.0, 0.0, -2.0, 0.0], [3.0, 0.0, 0.0, 0.0]])
    found = sparsity(z, torch.randn(2, 3), torch.randn(2, 3))
    assert (found.active, found.dead) == (1.5, 0.5)


def test_a_spatial_code_is_counted_whole():
    z = torch.zeros(5, 2, 3, 3)
    z[:, 0, 1, 1] = 1.0
    found = sparsity(z, torch.randn(5, 4), torch.randn(5, 4))
    assert (found.active, found.dead) == (1.0, pytest.approx(17 / 18))


def test_the_mean_explains_nothing_and_a_copy_everything():
    x, z = 100 + torch.randn(50, 4), torch.ones(50, 2)
    assert sparsity(z, x, x).unexplained == 0
    assert sparsity(z, x, x.mean(0).expand(50, 4)).unexplained == pytest.approx(1, abs=1e-6)
    assert sparsity(z, x, x.mean(0) + 0.5 * (x - x.mean(0))).unexplained == pytest.approx(0.25, abs=1e-5)
