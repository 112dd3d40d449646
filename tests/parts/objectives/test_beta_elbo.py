import pytest
import torch
from exercise_models import variational_model
from torch.distributions import Normal, kl_divergence

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.recipe import Recipe
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.denoising import Denoising
from xhat.parts.priors.classified import Classified
from xhat.parts.priors.normal import Normal as NormalPrior
from xhat.parts.schedules.linear import Linear


@pytest.fixture
def model():
    return variational_model()


@pytest.fixture
def batch():
    return Batch(torch.randn(50, 6))


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_the_rate_is_beta_times_the_kl_of_each_row(model, batch, beta):
    kl = model.encode(batch).kl(model.prior)
    torch.testing.assert_close(BetaELBO(beta)(model, batch).terms["rate"], beta * kl)


def test_the_rate_is_torchs_own_kl(model, batch):
    code = model.encode(batch)
    expected = kl_divergence(Normal(code.mean, code.std), Normal(torch.zeros(3), 1.0)).sum(1)
    torch.testing.assert_close(BetaELBO()(model, batch).terms["rate"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("epoch", "share"), [(0, 0.0), (2.5, 0.25), (10, 1.0), (99, 1.0)])
def test_the_rates_weight_rises_over_the_warm_up(model, batch, epoch, share):
    objective = BetaELBO(Linear(0, 3, epochs=10))
    objective.epoch = epoch
    kl = model.encode(batch).kl(model.prior)
    torch.testing.assert_close(objective(model, batch).terms["rate"], 3 * share * kl)


def test_validation_counts_beta_in_full(model, batch):
    objective = BetaELBO(Linear(0, 3, epochs=10)).eval()
    torch.testing.assert_close(objective(model, batch).terms["rate"], 3 * model.encode(batch).kl(model.prior))


def test_free_bits_are_a_floor_under_each_dimensions_mean_rate(model, batch):
    by_dimension = model.encode(batch).kl_per_dimension().mean(0).tolist()
    floor = sorted(by_dimension)[1]  # one dimension lies below, one on it, one above
    expected = sum(max(floor, rate) for rate in by_dimension)
    assert BetaELBO(2, free_bits=floor)(model, batch).terms["rate"].item() == pytest.approx(2 * expected)


def test_a_dimension_below_its_free_bits_is_not_pressed(model, batch):
    rate = BetaELBO(free_bits=100)(model, batch).terms["rate"]
    assert rate.item() == 300
    gradients = torch.autograd.grad(rate, list(model.encoder.parameters()))
    assert not any(gradient.any() for gradient in gradients)


def test_the_floor_lies_under_the_weighted_mean(model, batch):
    weight = torch.rand(50)
    kl = model.encode(batch).kl_per_dimension().detach()
    by_dimension = (weight[:, None] * kl).sum(0) / weight.sum()
    floor = float(by_dimension.sort().values[1])
    rate = BetaELBO(free_bits=floor)(model, Batch(batch.x, weight=weight)).terms["rate"]
    assert rate.item() == pytest.approx(sum(max(floor, float(mean)) for mean in by_dimension))


def test_a_weight_of_zero_takes_a_row_out_of_the_free_bits(model, batch):
    weight = torch.ones(50)
    weight[7] = 0
    others = Batch(batch.x[weight > 0])
    rate = BetaELBO(free_bits=0.05)(model, Batch(batch.x, weight=weight)).terms["rate"]
    torch.testing.assert_close(rate, BetaELBO(free_bits=0.05)(model, others).terms["rate"])


def test_free_bits_of_a_prior_of_dependent_dimensions_are_refused_at_once(model):
    model.prior = Classified(2, NormalPrior((1,)))
    for objective in (BetaELBO(free_bits=0.1), Denoising(BetaELBO(free_bits=0.1))):
        with pytest.raises(
            ConfigError, match="BetaELBO: free_bits need a prior of independent dimensions, got priors/c"
        ):
            Recipe(model, objective)
    assert Recipe(model, BetaELBO()).model is model


def test_free_bits_of_a_prior_that_knows_none_are_refused(model, batch):
    model.prior.fit(torch.randn(50, 3))
    with pytest.raises(ConfigError, match="Normal: knows no KL for each code dimension"):
        BetaELBO(free_bits=0.1)(model, batch)


@pytest.mark.parametrize("name", ["beta", "free_bits"])
def test_negative_arguments_are_refused(name):
    with pytest.raises(ConfigError, match=f"BetaELBO: {name} must be >= 0, got -1"):
        BetaELBO(**{name: -1})
