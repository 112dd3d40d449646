import copy
import math

import numpy as np
import pytest
import torch
from scipy import stats

from xhat.core import build, config
from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.likelihoods.mixed import Mixed


def theta_of(likelihood, n=1):
    return torch.randn(n, *likelihood.params(likelihood.x_shape), dtype=torch.float64)


def made(*args, **options):
    return Mixed(*args, **options).double()


def mixture(likelihood, theta):
    """The weights, places and scales that θ means, (B, n, K) each, by the docstring."""
    w, mu, s = theta[:, : likelihood.base.numel()].unflatten(1, likelihood.base.shape).unbind(2)
    logit, place, width = likelihood.base.unbind(1)
    floor = torch.tensor([0.05 * step or likelihood.smallest for step in likelihood.steps])[:, None].double()
    return (logit + w).softmax(-1), place + (floor + width.exp()) * mu, floor + (width + s).exp()


def test_a_continuous_number_is_a_mixture_of_logistics():
    likelihood = made((0,), components=3)
    theta, x = theta_of(likelihood, 4), torch.randn(4, 1, dtype=torch.float64)
    w, mu, sigma = (part.numpy() for part in mixture(likelihood, theta))
    by_scipy = np.log((w * stats.logistic.pdf(x.numpy()[:, :, None], mu, sigma)).sum((1, 2)))
    np.testing.assert_allclose(likelihood(theta).log_prob(x), by_scipy, rtol=1e-9)
    np.testing.assert_allclose(likelihood(theta).mean[:, 0], (w * mu).sum(2)[:, 0], rtol=1e-9)


def test_a_whole_number_has_the_mass_of_its_cell():
    likelihood = made((0,), (0.5,), components=2)
    theta, x = theta_of(likelihood, 3), torch.tensor([[0.5], [-1.0], [8.0]], dtype=torch.float64)
    w, mu, sigma = (part.numpy() for part in mixture(likelihood, theta))
    cells = [stats.logistic.cdf(x.numpy()[:, :, None] + half, mu, sigma) for half in (0.25, -0.25)]
    np.testing.assert_allclose(
        likelihood(theta).log_prob(x), np.log((w * (cells[0] - cells[1])).sum((1, 2))), rtol=1e-6
    )


@pytest.mark.parametrize("narrow", [0.0, -30.0])
def test_masses_of_whole_numbers_add_up_to_one(narrow):
    likelihood = made((0,), (0.1,), components=3)
    theta = theta_of(likelihood)
    theta[:, 6:] = narrow
    x = 0.1 * torch.arange(-3000, 3000, dtype=torch.float64)[:, None]
    logs = likelihood(theta.expand(len(x), -1)).log_prob(x)
    assert float(logs.exp().sum()) == pytest.approx(1, abs=1e-6)
    assert logs.max() <= 0  # however narrow a mode is


def test_a_density_integrates_to_one():
    likelihood = made((0,), components=3)
    x = torch.linspace(-60, 60, 200_001, dtype=torch.float64)[:, None]
    logs = likelihood(theta_of(likelihood).expand(len(x), -1)).log_prob(x)
    assert float(torch.trapezoid(logs.exp(), x[:, 0])) == pytest.approx(1, abs=1e-5)


def test_far_out_a_mass_is_still_a_number_with_a_slope():
    likelihood = made((0,), (1e-4,))
    theta = theta_of(likelihood).requires_grad_()
    logs = likelihood(theta).log_prob(torch.full((1, 1), 1e4, dtype=torch.float64))
    logs.sum().backward()
    assert logs.isfinite().all()
    assert theta.grad.isfinite().all()
    assert theta.grad.any()


def test_categories_are_softmaxes_of_their_own_columns():
    likelihood = made((3, 0, 2), components=1)
    theta = theta_of(likelihood, 2)
    scores = theta[:, 3:]
    x = torch.tensor([[0, 1, 0, 0.3, 1, 0], [1, 0, 0, 0.3, 0, 1]], dtype=torch.float64)
    number = made((0,), components=1)(theta[:, :3]).log_prob(x[:, 3:4])
    by_hand = scores[:, :3].log_softmax(1)[[0, 1], [1, 0]] + scores[:, 3:].log_softmax(1)[[0, 1], [0, 1]] + number
    torch.testing.assert_close(likelihood(theta).log_prob(x), by_hand)
    mean = likelihood(theta).mean
    torch.testing.assert_close(mean[:, :3], scores[:, :3].softmax(1))
    torch.testing.assert_close(mean[:, 4:], scores[:, 3:].softmax(1))


def test_what_is_seen_of_a_block_leaves_the_hidden_categories_open():
    likelihood = made((3,))
    theta = theta_of(likelihood)
    p = theta.softmax(1)[0]
    x = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)

    def told(*mask):
        return float(likelihood(theta).log_prob(x, torch.tensor([mask])).exp())

    assert told(True, False, False) == pytest.approx(float(p[1] + p[2]))
    assert told(False, False, True) == pytest.approx(float(p[2]))
    assert told(False, False, False) == 1
    nothing = torch.zeros_like(x)
    assert float(likelihood(theta).log_prob(nothing)) == -math.inf  # no category at all


def test_draws_come_as_often_as_the_model_says():
    likelihood = made((2, 0, 3), components=2)
    theta = theta_of(likelihood).expand(20_000, -1)
    x = likelihood(theta).sample()
    symbols = [0, 1, 3, 4, 5]
    assert (x[:, symbols].sum(1) == 2).all()
    torch.testing.assert_close(x[:, symbols].mean(0), likelihood(theta).mean[0, symbols], atol=0.015, rtol=0)
    w, mu, sigma = (part[0, 0].numpy() for part in mixture(likelihood, theta[:1]))
    below = (w * stats.logistic.cdf(0.3, mu, sigma)).sum()
    assert float((x[:, 2] < 0.3).double().mean()) == pytest.approx(below, abs=0.015)


def test_it_begins_at_the_columns_own_distributions():
    random = np.random.default_rng(0)
    gain = np.where(random.random(4000) < 0.9, 0.0, np.rint(random.lognormal(3, 1, 4000)))
    hot = np.eye(3)[random.choice(3, 4000, p=[0.7, 0.25, 0.05])]
    x = torch.from_numpy(np.column_stack([random.normal(2, 3, 4000), hot, gain * 0.01])).float()
    mask = torch.rand(x.shape) < 0.9
    mask[:, 2:4] = mask[:, 1:2]
    likelihood = Mixed((0, 3, 0), (0.0, 0.0, 0.01))
    likelihood.begin(x.masked_fill(~mask, math.nan), mask)
    start = likelihood(torch.zeros(20_000, *likelihood.params((5,))))
    draws = start.sample().numpy()
    assert np.rint(draws[:, 4] * 100).tolist().count(0) / 20_000 == pytest.approx(0.9, abs=0.02)
    np.testing.assert_allclose(draws[:, 1:4].mean(0), [0.7, 0.25, 0.05], atol=0.02)
    assert stats.ks_2samp(draws[:, 0], x[:, 0].numpy()).statistic < 0.03
    # Wherever θ moves the others, the common value's mode stays: it is only more or less likely.
    moved = torch.randn(1, *likelihood.params((5,))).expand(20_000, -1)
    mode = likelihood(moved).law.n.log_w[0, 1].exp()[0]
    assert float((likelihood(moved).sample()[:, 4].abs() < 0.005).double().mean()) >= 0.95 * float(mode)


def test_a_column_of_few_values_begins_anywhere():
    likelihood = Mixed((0, 0))
    likelihood.begin(torch.tensor([[1.0, 2.0]] * 3))
    assert likelihood.base.isfinite().all()
    likelihood.begin(torch.tensor([[1.0, 2.0]] * 300))
    assert likelihood(torch.zeros(300, 30)).log_prob(torch.tensor([[1.0, 2.0]] * 300)).isfinite().all()


def test_what_it_began_with_is_saved():
    first = Mixed((0, 2))
    first.begin(torch.cat([torch.randn(50, 1), torch.eye(2)[torch.randint(2, (50,))]], 1))
    second = build(config(first))
    second.load_state_dict(first.state_dict())
    theta = theta_of(first, 3).float()
    x = first(theta).sample()
    assert torch.equal(first(theta).log_prob(x), second(theta).log_prob(x))


def test_whole_numbers_are_told():
    assert Mixed((0, 3, 0), (0.0, 0.0, 0.5)).whole.tolist() == [False, False, False, False, True]


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Mixed(()), ConfigError, r"categories must be >= 0, one a column, got \(\)"),
        (lambda: Mixed((0, -1)), ConfigError, "categories must be >= 0"),
        (lambda: Mixed((0, 2), (1.0,)), ConfigError, r"steps must be >= 0, one a column, got \(1.0,\)"),
        (lambda: Mixed((0,), components=0), ConfigError, "components must be >= 1, got 0"),
        (lambda: Mixed((0,), smallest=0), ConfigError, "smallest must be > 0, got 0"),
        (lambda: Mixed((0, 3)).params((5,)), ShapeError, r"these columns make rows of \(4,\), got \(5,\)"),
        (lambda: Mixed((3,))(torch.zeros(2, 4)), ShapeError, r"θ must be \(B, 3\), got \(2, 4\)"),
    ],
)
def test_what_makes_no_table_is_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()


@pytest.mark.parametrize("most", [1, 1e2, 1e4, 1e6, 1e8])
def test_whole_numbers_of_any_spread_are_judged_alike_in_single_and_double(most):
    # Most are 0, a mode as narrow as its cell: of a wide column that is less than 32-bit floats lie apart.
    rng = np.random.default_rng(0)
    rows = np.where(rng.random(400) < 0.6, 0, np.rint(rng.lognormal(size=400) * most))[:, None]
    x = torch.from_numpy((rows - rows.mean()) / rows.std())
    law = Mixed((0,), (1 / float(rows.std()),))
    law.begin(x.float())
    theta = torch.zeros(len(x), *law.params((1,)))
    single = law(theta).log_prob(x.float())
    double = copy.deepcopy(law).double()(theta.double()).log_prob(x)
    common = rows[:, 0] == 0
    torch.testing.assert_close(single[common], double[common].float(), atol=0.05, rtol=0)
    # As likely as they are: of a mass log 0.6, of a density more, for the mode is narrow.
    assert float(single[common].median()) > -0.7
