import itertools
import math

import pytest
import torch
from exercise_models import variational_model
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from xhat.core import Batch, GaussianCode
from xhat.core.errors import ConfigError
from xhat.parts.objectives.tc import TC, aggregate, shares


@pytest.fixture
def model():
    return variational_model()


def gaussians(n, d=3):
    return GaussianCode(torch.randn(n, d, dtype=torch.float64), torch.randn(n, d, dtype=torch.float64))


def brute_force(code, z, weight=None):
    """log q(z) and the sum of log q(z_j) of a mixture, by torch's own."""
    parts = Categorical(torch.ones(len(code)).double() if weight is None else weight)
    joint = MixtureSameFamily(parts, Independent(Normal(code.mean, code.std), 1)).log_prob(z)
    columns = range(z.shape[1])
    marginals = [MixtureSameFamily(parts, Normal(code.mean[:, j], code.std[:, j])).log_prob(z[:, j]) for j in columns]
    return joint, sum(marginals)


@pytest.mark.parametrize("weighted", [False, True])
def test_where_the_batch_is_the_whole_the_aggregate_is_the_mixture_itself(weighted):
    code = gaussians(20)
    z, weight = code.rsample(), torch.rand(20, dtype=torch.float64) if weighted else None
    for ours, theirs in zip(aggregate(code, z, 20, weight), brute_force(code, z, weight), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_over_all_batches_the_estimate_of_q_is_its_value():
    whole, size = gaussians(6), 3
    z = whole.rsample()
    expected = brute_force(whole, z)[0].exp()
    found = [[] for _ in range(6)]
    for rows in map(list, itertools.combinations(range(6), size)):
        part = GaussianCode(whole.mean[rows], whole.log_var[rows])
        for row, estimate in zip(rows, aggregate(part, z[rows], 6)[0].exp(), strict=True):
            found[row].append(estimate)
    torch.testing.assert_close(torch.stack([torch.stack(f).mean() for f in found]), expected)


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 0.0, 0.5])])
@pytest.mark.parametrize("n", [4, 50])
def test_the_shares_of_every_draw_add_up_to_one(weight, n):
    assert torch.allclose(shares(4, n, weight, torch.ones(1)).sum(1), torch.ones(4))


@pytest.mark.parametrize("weight", [0.0, 1.0, 2.5])
def test_with_equal_weights_the_parts_add_up_to_the_sampled_rate(model, weight):
    batch, objective = Batch(torch.randn(30, 6)), TC(weight, alpha=weight, gamma=weight)
    objective.rows = 1000
    torch.manual_seed(4)
    terms = objective(model, batch).terms
    torch.manual_seed(4)
    code = model.encode(batch)
    z = code.rsample()
    rate = (code.log_prob(z) - model.prior.log_prob(z)).mean()
    parts = terms["information"] + terms["total_correlation"] + terms["dimension_wise"]
    torch.testing.assert_close(parts, weight * rate, rtol=1e-4, atol=1e-5)


def test_each_weight_multiplies_its_own_part(model):
    batch, found = Batch(torch.randn(8, 6)), []
    for objective in (TC(1.0), TC(3.0, alpha=5.0, gamma=7.0)):
        torch.manual_seed(4)
        found.append(objective(model, batch).terms)
    for name, factor in {"distortion": 1, "information": 5, "total_correlation": 3, "dimension_wise": 7}.items():
        torch.testing.assert_close(found[1][name], factor * found[0][name])


def test_of_a_gaussian_aggregate_the_parts_have_their_closed_forms():
    # μ ~ N(0, Σ), q(z|x) = N(μ, s²): q(z) is N(0, Σ + s²) in the limit of many rows.
    n, s = 2500, 0.7
    S = torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.float64)
    mean = torch.randn(n, 2, dtype=torch.float64) @ torch.linalg.cholesky(S).T
    code = GaussianCode(mean, torch.full_like(mean, 2 * math.log(s)))
    z = code.rsample()
    joint, marginals = aggregate(code, z, n)
    Q = S + s**2 * torch.eye(2, dtype=torch.float64)
    correlation = -0.5 * torch.log(torch.linalg.det(Q) / Q.diagonal().prod())
    information = 0.5 * torch.log(torch.linalg.det(Q) / s**4)
    assert float((joint - marginals).mean()) == pytest.approx(float(correlation), abs=0.03)
    assert float((code.log_prob(z) - joint).mean()) == pytest.approx(float(information), abs=0.05)


def test_the_gradient_agrees_with_finite_differences():
    noise = torch.randn(4, 2, dtype=torch.float64)

    def loss(mean, log_var):
        code = GaussianCode(mean, log_var)
        joint, marginals = aggregate(code, mean + code.std * noise, 9)
        return joint.sum() + 3 * marginals.sum()

    arguments = [torch.randn(4, 2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(loss, arguments)


def test_pressing_the_total_correlation_turns_correlated_codes_onto_their_axes():
    # Two independent factors of unequal spread, turned by 35 degrees: the codes are correlated until they turn back.
    rows = torch.randn(400, 2, dtype=torch.float64) * torch.tensor([2.0, 0.7])
    angle = torch.tensor(math.radians(35), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([angle], 0.03)

    def correlation():
        turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
        code = GaussianCode(rows @ turn.T, torch.full((400, 2), -1.0, dtype=torch.float64))
        joint, marginals = aggregate(code, code.rsample(), 400)
        return (joint - marginals).mean()

    before = float(correlation().detach())
    for _ in range(100):
        optimiser.zero_grad()
        correlation().backward()
        optimiser.step()
    assert before > 0.3
    assert abs(math.degrees(float(angle.detach()))) < 5
    assert float(correlation().detach()) < 0.05


def test_a_row_of_weight_zero_does_not_count(model, monkeypatch):
    noise = torch.randn(9, 3)
    monkeypatch.setattr(torch, "randn_like", lambda std: noise[: len(std)])
    x = torch.randn(9, 6)
    weight = torch.ones(9)
    weight[8] = 0
    found = []
    for batch in (Batch(x, weight=weight), Batch(x[:8])):
        objective = TC(2.0)
        objective.rows = len(batch)
        found.append(objective(model, batch).terms)
    for name in ("information", "total_correlation", "dimension_wise"):
        torch.testing.assert_close(found[0][name], found[1][name])


def test_rows_that_all_count_nothing_make_a_loss_of_nothing(model):
    loss = TC(2.0)(model, Batch(torch.randn(9, 6), weight=torch.zeros(9))).weighted(torch.zeros(9))
    loss.total.backward()
    assert loss.total == 0
    assert not any(p.grad.any() for p in model.parameters() if p.grad is not None)


def test_one_row_says_nothing_of_the_aggregate(model):
    terms = TC(1.0)(model, Batch(torch.randn(1, 6))).terms
    assert float(terms["information"].detach()) == pytest.approx(0, abs=1e-5)
    assert float(terms["total_correlation"].detach()) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", ["alpha", "beta", "gamma"])
def test_negative_arguments_are_refused(name):
    with pytest.raises(ConfigError, match=f"TC: {name} must be >= 0, got -1"):
        TC(**{name: -1})
