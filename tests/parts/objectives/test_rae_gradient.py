import pytest
import torch
from exercise_models import plain_model
from torch.func import jacrev, vmap

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.assemble import assemble
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.rae_gradient import RAEGradient


def jacobian(model, z):
    """The mean's by the code, (B, 6, 3), by torch's own hand."""
    return vmap(jacrev(lambda code: model.decode(code[None]).mean[0]))(z)


@pytest.fixture
def x():
    return torch.rand(8, 6, dtype=torch.float64)


@pytest.mark.parametrize("likelihood", [Gaussian(), Bernoulli()], ids=["gaussian", "bernoulli"])
def test_it_is_the_equation(x, likelihood):
    decoder = MLPDecoder((3,), (6,), hidden=(8,))
    model = Autoencoder(MLPEncoder((6,), (3,), hidden=(8,)), Plain((3,)), decoder, likelihood).double()
    z = model.encode(x).z.detach()
    for mode in (torch.enable_grad(), torch.no_grad()):
        with mode:
            terms = RAEGradient(0.5, smooth=0.7, probes=None)(model, Batch(x)).terms
        torch.testing.assert_close(terms["distortion"], -model.decode(z).log_prob(x))
        torch.testing.assert_close(terms["length"], 0.25 * (z**2).sum(1))
        torch.testing.assert_close(terms["slope"], 0.7 * (jacobian(model, z) ** 2).sum((1, 2)), rtol=1e-10, atol=0)


def test_the_estimates_mean_is_the_exact_value(x):
    model = plain_model().double()
    norm = (jacobian(model, model.encode(x[:4]).z.detach()) ** 2).sum((1, 2))
    with torch.no_grad():
        terms = RAEGradient(smooth=1.0)(model, Batch(x[:4].repeat(6000, 1))).terms
    draws = terms["slope"].unflatten(0, (6000, 4))
    assert ((draws.mean(0) - norm).abs() < 5 * draws.std(0) / 6000**0.5).all()


def test_its_gradient_to_both_nets_agrees_with_finite_differences(x):
    # To the encoder by way of z: a code may flee from where the decoder is steep.
    model, objective = plain_model().double(), RAEGradient(0.0, smooth=1.0, probes=None)

    def slope():
        return objective(model, Batch(x)).terms["slope"].mean()

    for weight in (model.encoder.layers[0].weight, model.decoder.layers[2].weight):
        (gradient,) = torch.autograd.grad(slope(), weight)
        with torch.no_grad():
            weight[1, 2] += 1e-6
            above = slope()
            weight[1, 2] -= 2e-6
            below = slope()
            weight[1, 2] += 1e-6
        assert abs(float(gradient[1, 2])) > 1e-8
        torch.testing.assert_close((above - below) / 2e-6, gradient[1, 2], rtol=1e-5, atol=1e-9)


def test_it_is_a_vaes_noise_to_second_order(x):
    # E ½ ‖x - g(z + σ ε)‖² - ½ ‖x - g(z)‖² = ½ σ² (‖∇g‖² - (x - g) · Δg) + O(σ⁴): with x = g(z) the first term alone.
    model = plain_model().double()
    z = model.encode(x).z.detach()[:1]
    target = model.decode(z).mean
    sigma, noise = 1e-3, torch.randn(200_000, 3, dtype=torch.float64)
    cost = 0.5 * ((model.decode(z + sigma * noise).mean - target) ** 2).sum(1).mean()
    assert cost.item() == pytest.approx(0.5 * sigma**2 * (jacobian(model, z) ** 2).sum().item(), rel=0.02)


def test_symbols_are_refused_as_the_two_are_put_together():
    model = assemble((12,), Plain, Gaussian(), latent=3, net="recurrent", vocabulary=5)
    with pytest.raises(ConfigError, match="RAEGradient: needs rows of numbers; symbols have no derivative"):
        Recipe(model, RAEGradient())


@pytest.mark.parametrize("name", ["beta", "smooth"])
def test_negative_arguments_are_refused(name):
    with pytest.raises(ConfigError, match=f"RAEGradient: {name} must be >= 0, got -1"):
        RAEGradient(**{name: -1})
