import pytest
import torch
from torch import nn
from torch.func import jacrev, vmap

from xhat.core.errors import ConfigError
from xhat.parts.objectives._jacobian import check_probes, differentiable_twice, movable, squared_jacobian

NET = nn.Sequential(nn.Linear(4, 7), nn.Tanh(), nn.Linear(7, 3)).double()


def exact(net, x):
    return (vmap(jacrev(net))(x) ** 2).flatten(1).sum(1)


def found(net, x, probes):
    with differentiable_twice(net):
        at = movable(x, "test")
        y = net(at)
    return squared_jacobian(y, at, probes, "test")


@pytest.fixture
def x():
    return torch.randn(5, 4, dtype=torch.float64)


def test_all_directions_are_the_jacobian_itself(x):
    torch.testing.assert_close(found(NET, x, None), exact(NET, x), rtol=1e-12, atol=0)


@pytest.mark.parametrize("learn", [True, False])
def test_rows_and_values_may_have_more_axes(learn):
    net = nn.Conv2d(2, 3, 2).double()
    x = torch.randn(4, 2, 3, 3, dtype=torch.float64)
    expected = (vmap(jacrev(net))(x) ** 2).flatten(1).sum(1)
    with torch.set_grad_enabled(learn):
        torch.testing.assert_close(found(net, x, None), expected, rtol=1e-12, atol=0)
        assert found(net, x, 2).shape == (4,)


@pytest.mark.parametrize("probes", [1, 4])
def test_the_estimates_mean_is_the_jacobians_and_falls_in_spread_with_the_probes(x, probes):
    rows = x.repeat(8000, 1)
    draws = found(NET, rows, probes).unflatten(0, (8000, 5))
    error = draws.std(0) / 8000**0.5
    assert ((draws.mean(0) - exact(NET, x)).abs() < 5 * error).all()
    assert (error < 0.02 * exact(NET, x)).all()
    one = found(NET, rows, 1).unflatten(0, (8000, 5)).std(0)
    torch.testing.assert_close(draws.std(0) * probes**0.5, one, rtol=0.1, atol=0)


def test_one_direction_is_exact_of_one_output(x):
    net = nn.Linear(4, 1).double()
    torch.testing.assert_close(found(net, x, 1), (net.weight**2).sum().expand(5), rtol=1e-12, atol=0)


def test_without_gradients_the_value_is_the_same_and_has_none(x):
    with torch.no_grad():
        value = found(NET, x, None)
    assert not value.requires_grad
    assert not x.requires_grad
    torch.testing.assert_close(value, found(NET, x, None).detach())


def test_the_gradient_to_weights_agrees_with_finite_differences(x):
    def norm(weight):
        with torch.enable_grad():
            at = x.clone().requires_grad_()
            return squared_jacobian(torch.tanh(at @ weight.T), at, None, "test").sum()

    weight = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(norm, weight)


@pytest.mark.parametrize(
    "net",
    [nn.GRU(4, 3, batch_first=True), nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)],
    ids=["recurrent", "attention"],
)
def test_nets_whose_fast_paths_have_one_derivative_have_two_here(net):
    def last(x):
        out = net(x)
        return (out[0] if isinstance(out, tuple) else out)[:, -1]

    with differentiable_twice(net):
        x = movable(torch.randn(2, 5, 4), "test")
        y = last(x)
    squared_jacobian(y, x, 1, "test").sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_what_does_not_move_is_refused():
    with pytest.raises(ConfigError, match=r"test: needs rows of numbers; symbols cannot be moved"):
        movable(torch.ones(3, 4, dtype=torch.int64), "test")
    embed = nn.Embedding(9, 3)
    with differentiable_twice(embed):
        x = movable(torch.ones(3, 4), "test")
        y = embed(x.long()).sum(1)
    with pytest.raises(ConfigError, match=r"test: needs a net that moves with what it reads"):
        squared_jacobian(y, x, 1, "test")


@pytest.mark.parametrize("probes", [0, -1, 1.5, True])
def test_probes_that_are_no_count_are_refused(probes):
    with pytest.raises(ConfigError, match="probes must be a whole number >= 1, or None"):
        check_probes(probes, "test")
