"""What every likelihood keeps."""

import math

import pytest
import torch
from exercise import example, kinds, theta_for, x_shape_of

EVERY = kinds("likelihoods")


@pytest.fixture(params=EVERY)
def likelihood(request):
    return example(request.param)


@pytest.fixture
def theta(likelihood):
    return theta_for(likelihood, 5).requires_grad_()


@pytest.fixture
def x(likelihood, theta):
    return likelihood(theta).sample()


def test_mean_and_samples_have_the_shape_of_rows(likelihood, theta, x):
    shape = (5, *x_shape_of(likelihood, (6,)))
    assert likelihood(theta).mean.shape == shape
    assert x.shape == shape
    assert likelihood(theta).mean.isfinite().all()


def test_samples_lie_in_the_support(likelihood, theta):
    low, high = likelihood.support
    for _ in range(20):
        x = likelihood(theta).sample()
        assert ((x >= low) & (x <= high)).all()


def test_log_density_is_one_finite_number_a_row(likelihood, theta, x):
    logs = likelihood(theta).log_prob(x)
    assert logs.shape == (5,)
    assert logs.isfinite().all()


def test_a_row_has_the_same_log_density_in_any_batch(likelihood, theta, x):
    torch.testing.assert_close(likelihood(theta).log_prob(x)[1:3], likelihood(theta[1:3]).log_prob(x[1:3]))


def test_gradients_reach_the_parameters(likelihood, theta, x):
    (-likelihood(theta).log_prob(x).sum()).backward()
    assert theta.grad.isfinite().all()
    assert (theta.grad.flatten(1) != 0).any(1).all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in likelihood.parameters())


@pytest.mark.parametrize("hidden", [math.nan, 1.0, 1e6])
def test_what_a_masked_entry_holds_changes_nothing(likelihood, theta, x, hidden):
    mask = torch.rand(x.shape) < 0.5
    mask[0], mask[1] = True, False
    parts = [theta, *likelihood.parameters()]
    logs, spoiled = (likelihood(theta).log_prob(data, mask) for data in (x, x.masked_fill(~mask, hidden)))
    assert torch.equal(logs, spoiled)
    assert spoiled[1] == 0
    torch.testing.assert_close(spoiled[0], likelihood(theta).log_prob(x)[0])
    for kept, came in zip(gradients(logs, parts), gradients(spoiled, parts), strict=True):
        assert came.isfinite().all()
        torch.testing.assert_close(kept, came)


def test_a_mask_of_steps_counts_all_of_a_steps_elements(likelihood):
    if hasattr(likelihood, "x_shape"):
        pytest.skip("its rows have a shape of their own")
    theta = theta_for(likelihood, 5, (4, 2))
    x = likelihood(theta).sample()
    steps = torch.rand(5, 4) < 0.5
    full = steps.unsqueeze(2).expand(5, 4, 2)
    assert torch.equal(likelihood(theta).log_prob(x, steps), likelihood(theta).log_prob(x, full))


def test_probabilities_add_up_to_one(likelihood):
    if not likelihood.normalised:
        pytest.skip("it says itself that it is no density of x")
    if hasattr(likelihood, "x_shape"):
        pytest.skip("its rows have a shape of their own")
    likelihood.requires_grad_(False)
    theta = theta_for(likelihood, 1, (1,))
    draws = likelihood(theta.expand(20_000, *theta.shape[1:])).sample().flatten()
    values = draws.unique()
    if len(values) < 5_000:  # discrete: the values that never came are rare ones
        total = likelihood(theta.expand(len(values), *theta.shape[1:])).log_prob(values[:, None]).exp().sum()
        assert 0.99 <= float(total) <= 1 + 1e-4
        return
    points = axis(likelihood.support, draws).double()
    logs = likelihood(theta.expand(len(points), *theta.shape[1:])).log_prob(points[:, None])
    assert float(torch.trapezoid(logs.double().exp(), points)) == pytest.approx(1, abs=2e-3)


def gradients(logs, parts):
    found = torch.autograd.grad(logs.sum(), parts, allow_unused=True, retain_graph=True)
    return [gradient for gradient in found if gradient is not None]


def axis(support, draws):
    """Points that cover the support, dense where the draws are and far into the tails."""
    t = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    low, high = support
    middle, width = draws.median(), draws.quantile(0.75) - draws.quantile(0.25)
    if math.isinf(low) and math.isinf(high):
        return middle + width * torch.sinh(t)
    if math.isinf(high):
        return low + middle * torch.exp(t)
    return low + (high - low) * torch.sigmoid(t)
