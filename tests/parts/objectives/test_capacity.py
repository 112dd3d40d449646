import pytest
import torch
from exercise_models import variational_model

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.capacity import Capacity
from xhat.parts.schedules.linear import Linear


@pytest.fixture
def model():
    return variational_model()


@pytest.fixture
def batch():
    return Batch(torch.randn(50, 6))


def rate(model, batch):
    return float(model.encode(batch).kl(model.prior).mean().detach())


@pytest.mark.parametrize("off", [-0.3, 0.0, 2.0])
def test_it_costs_gamma_for_every_nat_on_either_side(model, batch, off):
    objective = Capacity(rate(model, batch) + max(off, -rate(model, batch)), gamma=7.0)
    expected = 7 * abs(max(off, -rate(model, batch)))
    assert float(objective(model, batch).terms["off_capacity"].detach()) == pytest.approx(expected, abs=1e-4)


def test_without_capacity_it_is_the_bound_with_gamma_for_beta(model, batch):
    losses = []
    for objective in (Capacity(0.0, gamma=4.0), BetaELBO(4.0)):
        torch.manual_seed(1)
        losses.append(objective(model, batch).total)
    torch.testing.assert_close(*losses)


def test_rows_count_by_their_weights(model, batch):
    weight = torch.rand(50)
    kl = model.encode(batch).kl(model.prior)
    expected = ((weight * kl).sum() / weight.sum() - 9).abs()
    weighted = Batch(batch.x, weight=weight)
    torch.testing.assert_close(Capacity(9.0, gamma=1.0)(model, weighted).terms["off_capacity"], expected)


@pytest.mark.parametrize(("epoch", "capacity"), [(0, 0.0), (5, 10.0), (10, 20.0), (99, 20.0)])
def test_the_capacity_follows_its_schedule_and_validation_asks_for_the_last(model, batch, epoch, capacity):
    objective = Capacity(Linear(0, 20, epochs=10), gamma=1.0)
    objective.epoch = epoch
    for mode, expected in ((True, capacity), (False, 20.0)):
        term = objective.train(mode)(model, batch).terms["off_capacity"]
        assert float(term.detach()) == pytest.approx(abs(rate(model, batch) - expected), rel=1e-5)


@pytest.mark.parametrize("capacity", [0.5, 3.0])
def test_training_brings_the_rate_to_the_capacity(model, capacity):
    batch, objective = Batch(torch.randn(200, 6)), Capacity(capacity, gamma=50.0)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for step in range(200):
        for group in optimiser.param_groups:
            group["lr"] = 2e-2 * (1 - step / 200)
        optimiser.zero_grad()
        objective(model, batch).total.backward()
        optimiser.step()
    assert rate(model, batch) == pytest.approx(capacity, abs=0.05)


@pytest.mark.parametrize("name", ["capacity", "gamma"])
def test_negative_arguments_are_refused(name):
    with pytest.raises(ConfigError, match=f"Capacity: {name} must be >= 0, got -1"):
        Capacity(**{name: -1})
