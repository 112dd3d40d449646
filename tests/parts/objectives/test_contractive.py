import pytest
import torch
from torch import nn
from torch.func import jacrev, vmap

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.assemble import assemble
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.bottlenecks.rectified import Rectified
from xhat.parts.bottlenecks.sigmoid import Sigmoid
from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
from xhat.parts.nets.linear import LinearEncoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives import contractive
from xhat.parts.objectives.contractive import Contractive


def model_of(bottleneck, encoder=MLPEncoder, **options):
    made = encoder((6,), bottleneck.in_shape, **options)
    return Autoencoder(made, bottleneck, MLPDecoder((3,), (6,), hidden=(8,)), GaussianLikelihood()).double()


def jacobian(model, x):
    """The code's by the input, (B, 3, 6), by torch's own hand."""
    return vmap(jacrev(lambda row: model.encode(row[None]).z[0]))(x)


@pytest.fixture
def x():
    return torch.randn(40, 6, dtype=torch.float64)


ONE_LAYER = [
    (bottleneck, encoder, options)
    for bottleneck in (Plain, Sigmoid, Rectified)
    for encoder, options in ((LinearEncoder, {}), (MLPEncoder, {"hidden": ()}))
]


@pytest.mark.parametrize(("bottleneck", "encoder", "options"), ONE_LAYER)
def test_of_one_layer_the_closed_form_is_the_jacobians_norm(monkeypatch, x, bottleneck, encoder, options):
    monkeypatch.setattr(contractive, "squared_jacobian", None)  # it must not be needed
    model = model_of(bottleneck((3,)), encoder, **options)
    norm = (jacobian(model, x) ** 2).sum((1, 2))
    term = Contractive(0.7)(model, Batch(x)).terms["contraction"]
    torch.testing.assert_close(term, 0.7 * norm, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("bottleneck", [Plain, Sigmoid, Gaussian])
def test_of_a_deep_net_the_exact_value_is_the_jacobians_norm(x, bottleneck):
    model = model_of(bottleneck((3,)), hidden=(8,))
    norm = (jacobian(model, x) ** 2).sum((1, 2))
    for mode in (torch.enable_grad(), torch.no_grad()):
        with mode:
            term = Contractive(0.7, probes=None)(model, Batch(x)).terms["contraction"]
        torch.testing.assert_close(term, 0.7 * norm, rtol=1e-10, atol=0)


def test_the_estimates_mean_is_the_exact_value(x):
    model, rows = model_of(Plain((3,)), hidden=(8,)), x[:4].repeat(6000, 1)
    norm = (jacobian(model, x[:4]) ** 2).sum((1, 2))
    with torch.no_grad():
        draws = Contractive(1.0)(model, Batch(rows)).terms["contraction"].unflatten(0, (6000, 4))
    assert ((draws.mean(0) - norm).abs() < 5 * draws.std(0) / 6000**0.5).all()
    assert (draws.std(0) > 0.01 * norm).all()


@pytest.mark.parametrize("hidden", [(), (8,)])
def test_its_gradient_agrees_with_finite_differences(x, hidden):
    model, objective = model_of(Sigmoid((3,)), hidden=hidden), Contractive(1.0, probes=None)
    weight = model.encoder.layers[0].weight

    def total():
        return objective(model, Batch(x)).total

    (gradient,) = torch.autograd.grad(total(), weight)
    step = 1e-6
    for place in ((0, 0), (2, 5), (1, 3)):
        with torch.no_grad():
            weight[place] += step
            above = total()
            weight[place] -= 2 * step
            below = total()
            weight[place] += step
        torch.testing.assert_close((above - below) / (2 * step), gradient[place], rtol=1e-6, atol=1e-8)


def test_the_rest_is_the_plain_copy(x):
    model = model_of(Plain((3,)), hidden=(8,))
    loss = Contractive()(model, Batch(x))
    torch.testing.assert_close(loss.terms["distortion"], -model.decode(model.encode(x).z).log_prob(x))


def test_it_is_taken_at_what_the_encoder_sees(x):
    model = model_of(Sigmoid((3,)), hidden=(8,))
    objective, seen = Contractive(probes=None), torch.randn_like(x)
    there = objective(model, Batch(x, corrupted=seen)).terms["contraction"]
    torch.testing.assert_close(there, objective(model, Batch(seen)).terms["contraction"])


def test_a_frozen_encoder_has_a_norm_without_a_gradient(x):
    model = model_of(Plain((3,)), hidden=(8,))
    model.encoder.requires_grad_(False)
    Contractive()(model, Batch(x)).total.backward()
    assert all(p.grad is None for p in model.encoder.parameters())
    assert all(p.grad is not None for p in model.decoder.parameters())


def test_training_flattens_the_code_across_the_data_and_less_along_it():
    # The rows vary along the first axis alone, by much; the rest is faint noise.
    x = torch.randn(256, 6, dtype=torch.float64) * torch.tensor([3.0, 0.1, 0.1, 0.1, 0.1, 0.1], dtype=torch.float64)

    def along(weight):
        torch.manual_seed(0)
        model = model_of(Sigmoid((3,)), hidden=())
        optimiser = torch.optim.Adam(model.parameters(), 2e-2)
        for _ in range(150):
            optimiser.zero_grad()
            Contractive(weight)(model, Batch(x)).total.backward()
            optimiser.step()
        slopes = (jacobian(model, x) ** 2).mean(0).sum(0).detach()  # (6,)
        return float(slopes[0]), float(slopes[1:].sum())

    (free_along, free_across), (along_data, across) = along(0.0), along(1.0)
    assert across < 0.05 * free_across
    assert across / along_data < 0.2 * free_across / free_along


def test_rows_of_symbols_are_refused_as_the_two_are_put_together():
    model = assemble((12,), Plain, GaussianLikelihood(), latent=3, net="recurrent", vocabulary=5)
    with pytest.raises(ConfigError, match="Contractive: needs rows of numbers; symbols have no derivative"):
        Recipe(model, Contractive())


@pytest.mark.parametrize("net", ["recurrent", "temporal"])
def test_sequences_of_numbers_with_a_mask_have_a_norm(net):
    model = assemble((7, 2), Plain, GaussianLikelihood(), latent=3, net=net)
    mask = torch.ones(4, 7, dtype=torch.bool)
    mask[:, 5:] = False
    x = torch.randn(4, 7, 2).masked_fill(~mask[..., None], float("nan"))
    loss = Contractive()(model, Batch(x, mask=mask))
    assert loss.total.isfinite()
    loss.total.backward()
    assert all(p.grad.isfinite().all() for p in model.encoder.parameters() if p.grad is not None)


def test_bad_arguments_are_refused():
    with pytest.raises(ConfigError, match="Contractive: weight must be >= 0, got -1"):
        Contractive(-1)
    with pytest.raises(ConfigError, match="Contractive: probes must be a whole number >= 1, or None"):
        Contractive(probes=0)


def test_own_modules_are_moved_by_it():
    module = nn.Sequential(nn.Linear(6, 3), nn.Tanh())
    model = assemble((6,), Plain, GaussianLikelihood(), latent=3, net=(module, "mlp"))
    Contractive(1.0)(model, Batch(torch.randn(5, 6))).terms["contraction"].sum().backward()
    assert module[0].weight.grad.abs().sum() > 0
