import pytest
import torch
from exercise_models import plain_model
from torch.distributions import Bernoulli, kl_divergence

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.sigmoid import Sigmoid
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.sparse_kl import SparseKL, divergence


@pytest.fixture
def model():
    encoder = MLPEncoder((6,), (3,), hidden=(8,))
    return Autoencoder(encoder, Sigmoid((3,)), MLPDecoder((3,), (6,), hidden=(8,)), Gaussian())


def test_it_is_the_kl_of_two_coins_for_each_unit(model):
    x = torch.randn(50, 6)
    z = model.encode(x).z
    terms = SparseKL(2.5, rho=0.1)(model, Batch(x)).terms
    coins = kl_divergence(Bernoulli(torch.tensor(0.1)), Bernoulli(z.mean(0)))
    torch.testing.assert_close(terms["sparsity"], 2.5 * coins.sum())
    torch.testing.assert_close(terms["distortion"], -model.decode(z).log_prob(x))


def test_it_is_zero_where_the_rates_are_as_asked_alone():
    assert float(divergence(0.2, torch.full((4,), 0.2))) == pytest.approx(0, abs=1e-6)
    for rate in (0.1, 0.19, 0.21, 0.9):
        assert float(divergence(0.2, torch.tensor([0.2, rate]))) > 1e-5


def test_its_gradient_agrees_with_finite_differences():
    mean = torch.tensor([0.01, 0.3, 0.97], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda mean: divergence(0.05, mean), mean)


@pytest.mark.parametrize("stuck", [-200.0, 200.0])
def test_units_that_are_stuck_leave_it_finite(model, stuck):
    with torch.no_grad():
        model.encoder.layers[-1].bias.fill_(stuck)
    loss = SparseKL()(model, Batch(torch.randn(5, 6)))
    loss.total.backward()
    assert loss.total.isfinite()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_rows_count_by_their_weights(model):
    x = torch.randn(6, 6)
    twice = SparseKL()(model, Batch(x, weight=torch.tensor([1.0, 2, 1, 0, 0, 1]))).terms["sparsity"]
    torch.testing.assert_close(twice, SparseKL()(model, Batch(x[[0, 1, 1, 2, 5]])).terms["sparsity"])


@pytest.mark.parametrize("bias", [-15.0, -40.0, -60.0])
def test_a_unit_that_hardly_ever_speaks_is_pulled_back(model, bias):
    last = model.encoder.layers[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(bias)
    SparseKL(3.0, rho=0.1)(model, Batch(torch.randn(5, 6))).terms["sparsity"].backward()
    # dKL/da = (-ρ/ρ̂ + (1-ρ)/(1-ρ̂)) ρ̂(1-ρ̂) = ρ̂ - ρ: as strong a pull however rare it is.
    torch.testing.assert_close(last.bias.grad, torch.full((3,), 3 * -0.1), rtol=1e-4, atol=1e-5)


def test_training_brings_the_rates_to_rho(model):
    x = torch.randn(256, 6)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    before = model.encode(x).z.mean(0)
    for _ in range(300):
        optimiser.zero_grad()
        SparseKL(20.0, rho=0.1)(model, Batch(x)).total.backward()
        optimiser.step()
    assert (before > 0.2).all()
    torch.testing.assert_close(model.encode(x).z.mean(0), torch.full((3,), 0.1), rtol=0, atol=0.02)


def test_a_code_that_is_no_activity_is_refused():
    with pytest.raises(ConfigError, match=r"SparseKL: reads a UnitCode, but bottlenecks/plain emits a Code\. Use one"):
        Recipe(plain_model(), SparseKL())


@pytest.mark.parametrize("rho", [0, 1, -0.1, 1.5])
def test_a_rate_that_is_none_is_refused(rho):
    with pytest.raises(ConfigError, match="SparseKL: rho must lie between 0 and 1"):
        SparseKL(rho=rho)


def test_a_negative_weight_is_refused():
    with pytest.raises(ConfigError, match="SparseKL: beta must be >= 0, got -1"):
        SparseKL(-1)
