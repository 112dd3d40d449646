import math

import pytest
import torch
from exercise_models import variational_model
from torch.nn.functional import softplus

from xhat.core import Batch, GaussianCode
from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives._critic import frozen
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.factor import Factor, permuted


@pytest.fixture
def model():
    return variational_model()


@pytest.fixture
def batch():
    return Batch(torch.randn(64, 6))


def saying(logit, gamma=1.0):
    """An objective whose critic answers `logit` to everything."""
    objective = Factor(MLPEncoder((3,), (1,), hidden=()), gamma)
    objective.critic.layers[0].weight.data.zero_()
    objective.critic.layers[0].bias.data.fill_(logit)
    return objective


class Codes(torch.nn.Module):
    """A model that gives these codes, exactly."""

    def __init__(self, z):
        super().__init__()
        self.z = z

    def encode(self, batch):
        return GaussianCode(self.z, torch.full_like(self.z, -math.inf))


@pytest.mark.parametrize("logit", [-2.0, 0.0, 3.0])
def test_the_terms_are_the_equations_for_a_critic_that_always_says_the_same(model, batch, logit):
    objective, said = saying(logit, gamma=4.0), torch.tensor(logit)
    torch.testing.assert_close(objective(model, batch).terms["total_correlation"], 4 * said.expand(64))
    critic = objective.critic_loss(model, batch).terms
    torch.testing.assert_close(critic["joint"], 0.5 * softplus(-said))
    torch.testing.assert_close(critic["product"], 0.5 * softplus(said))


def test_without_gamma_it_is_the_evidence_lower_bound(model, batch):
    losses = []
    for objective in (saying(1.0, gamma=0), BetaELBO()):
        torch.manual_seed(1)
        losses.append(objective(model, batch).total)
    torch.testing.assert_close(*losses)


def test_every_dimension_is_permuted_by_itself():
    z = torch.arange(50.0)[:, None] + torch.tensor([0.0, 100.0, 200.0])
    shuffled = permuted(z)
    assert torch.equal(shuffled.sort(0).values, z)  # each column keeps its values
    origin = shuffled - torch.tensor([0.0, 100.0, 200.0])  # the row that each came of
    assert all((origin[:, i] == origin[:, j]).sum() < 10 for i, j in ((0, 1), (0, 2), (1, 2)))


def test_rows_of_unequal_weight_are_drawn_in_proportion():
    z = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]).repeat(2000, 1)
    weight = torch.tensor([1.0, 3.0, 0.0]).repeat(2000)
    drawn = permuted(z, weight)
    assert drawn.max() == 1
    torch.testing.assert_close(drawn.mean(0), torch.tensor([0.75, 0.75]), rtol=0, atol=0.03)
    assert abs(float(drawn.T.corrcoef()[0, 1])) < 0.06


def test_the_two_draws_of_the_critic_are_of_other_rows():
    z = torch.arange(9.0)[:, None].expand(9, 3)
    seen = []
    objective = Factor(MLPEncoder((3,), (1,), hidden=()))
    objective.critic.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    objective.critic_loss(Codes(z), Batch(torch.zeros(9, 6)))
    joint, product = (set(codes.flatten().tolist()) for codes in seen)
    assert joint == {0, 1, 2, 3}
    assert product == {5, 6, 7, 8}


def test_a_weight_of_zero_takes_a_row_out_of_both_draws():
    z, weight = torch.randn(8, 3), torch.ones(8)
    weight[1], weight[6] = 0, 0
    objective = Factor.example()
    losses = []
    for value in (0.0, 1000.0):
        z[1], z[6] = value, value
        torch.manual_seed(3)
        losses.append(objective.critic_loss(Codes(z), Batch(torch.zeros(8, 6), weight=weight)).total)
    assert torch.equal(*losses)


def test_a_half_without_any_weight_gives_no_term():
    z, objective = torch.randn(8, 3), Factor.example()
    whole = objective.critic_loss(Codes(z), Batch(torch.zeros(8, 6), weight=torch.ones(8))).terms
    assert all(term > 0 for term in whole.values())
    for half, name in ((slice(4), "joint"), (slice(4, 8), "product")):
        weight = torch.ones(8)
        weight[half] = 0
        terms = objective.critic_loss(Codes(z), Batch(torch.zeros(8, 6), weight=weight)).terms
        assert [other for other, term in terms.items() if term == 0] == [name]


def trained(z, steps=400):
    """A critic that has learned to tell codes `z` from codes of permuted dimensions."""
    objective = Factor(MLPEncoder((z.shape[1],), (1,), hidden=(32, 32)))
    optimiser = torch.optim.Adam(objective.critic_parameters(), 1e-2)
    batch = Batch(torch.zeros(512, 6))
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 1e-2 * (1 - step / steps)
        optimiser.zero_grad()
        objective.critic_loss(Codes(z[torch.randint(len(z), (512,))]), batch).total.backward()
        optimiser.step()
    return objective


def test_a_trained_critic_gives_the_total_correlation():
    correlation = 0.8
    factor = torch.linalg.cholesky(torch.tensor([[1.0, correlation], [correlation, 1.0]]))
    z = torch.randn(20_000, 2) @ factor.T
    estimate = float(frozen(trained(z).critic, z).mean())
    assert estimate == pytest.approx(-0.5 * math.log(1 - correlation**2), abs=0.1)


def test_independent_dimensions_have_none():
    z = torch.rand(20_000, 2)
    objective = trained(z, steps=150)
    assert float(frozen(objective.critic, z).mean()) == pytest.approx(0, abs=0.05)
    loss = objective.critic_loss(Codes(z), Batch(torch.zeros(len(z), 6))).total
    assert float(loss.detach()) == pytest.approx(math.log(2), abs=0.02)


def test_the_term_turns_correlated_codes_onto_their_axes():
    rows = torch.randn(5000, 2) * torch.tensor([2.0, 0.7])
    angle = torch.tensor(math.radians(35.0), requires_grad=True)

    def turned():
        turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
        return rows @ turn.T

    objective = trained(turned().detach())
    frozen(objective.critic, turned()).mean().backward()
    assert float(angle.grad) > 0.1  # descending it makes the angle smaller


def test_a_frozen_critic_gets_no_gradient():
    critic, z = MLPEncoder((2,), (1,)), torch.ones(5, 2, requires_grad=True)
    assert torch.equal(frozen(critic, z), critic(z))
    frozen(critic, z).sum().backward()
    assert z.grad.any()
    assert all(p.grad is None for p in critic.parameters())


def test_a_batch_of_one_row_gives_a_number(model):
    assert Factor.example().critic_loss(model, Batch(torch.randn(1, 6))).total.isfinite()


def test_bad_arguments_are_refused():
    with pytest.raises(ShapeError, match=r"Factor: the critic must give one logit, of shape \(1,\), got \(2,\)"):
        Factor(MLPEncoder((3,), (2,)))
    with pytest.raises(ConfigError, match="Factor: gamma must be >= 0, got -1"):
        Factor(MLPEncoder((3,), (1,)), -1)
