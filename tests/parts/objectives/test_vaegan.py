import copy

import pytest
import torch
from exercise_models import variational_model
from torch.nn.functional import softplus

from xhat.core import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.autoencoder import Autoencoder
from xhat.models.recipe import Recipe
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.categorical import Categorical
from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.vaegan import VAEGAN
from xhat.parts.priors.vamp import Vamp
from xhat.parts.schedules.linear import Linear

GAMMA = 0.3


@pytest.fixture
def model():
    return variational_model().double()


@pytest.fixture
def objective():
    features = MLPEncoder((6,), (4,), hidden=(8,))
    return VAEGAN(features, MLPEncoder((4,), (1,), hidden=(5,)), GAMMA).double()


@pytest.fixture
def batch():
    return Batch(torch.randn(7, 6, dtype=torch.float64))


def draws(model, objective, batch):
    """Do algorithm 1 by hand, with the draws that the objective makes from seed 0."""
    torch.manual_seed(0)
    code = model.encode(batch)
    z = code.mean + code.std * torch.randn_like(code.std)
    z_p = model.prior.sample(len(batch)).double()
    D = lambda x: objective.head(objective.features(x)).squeeze(1)  # noqa: E731
    g = lambda z: model.decode(z).mean  # noqa: E731
    return code, z, z_p, D, g


def by_hand(model, objective, batch):
    code, z, z_p, D, g = draws(model, objective, batch)
    error = 0.5 * ((objective.features(batch.x) - objective.features(g(z))) ** 2).sum(1).mean()
    kl = code.kl(model.prior).mean()
    fooling = (softplus(-D(g(z))) + softplus(-D(g(z_p)))).mean()
    return kl, error, fooling


def gradients(loss, parameters):
    return torch.autograd.grad(loss, parameters, retain_graph=True)


def compare(parameters, expected):
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_each_net_gets_the_gradient_of_its_own_loss_and_of_no_other(model, objective, batch):
    encoder, decoder = list(model.encoder.parameters()), list(model.decoder.parameters())
    kl, error, fooling = by_hand(model, objective, batch)
    of_encoder = gradients(kl + error, encoder)
    of_decoder = gradients(GAMMA * error + fooling, decoder)
    torch.manual_seed(0)
    objective(model, batch).total.backward()
    compare(encoder, of_encoder)
    compare(decoder, of_decoder)
    assert all(p.grad is None for p in objective.parameters())
    # The three parts of the comparison are no accident: each of the other gradients would have been another one.
    for wrong in (kl + error + fooling, kl + GAMMA * error, error):
        assert differs(gradients(wrong, encoder), of_encoder)
    for wrong in (error + fooling, fooling, GAMMA * error):
        assert differs(gradients(wrong, decoder), of_decoder)


def differs(one, other):
    return any(not torch.allclose(a, b, rtol=1e-3) for a, b in zip(one, other, strict=True))


def test_the_discriminator_learns_by_the_game_alone(model, objective, batch):
    _, z, z_p, D, g = draws(model, objective, batch)
    game = (softplus(-D(batch.x)) + softplus(D(g(z).detach())) + softplus(D(g(z_p).detach()))).mean()
    expected = gradients(game, objective.critic_parameters())
    torch.manual_seed(0)
    objective.critic_loss(model, batch).total.backward()
    compare(objective.critic_parameters(), expected)
    assert all(p.grad is None for p in model.parameters())


def test_the_terms_are_the_equations(model, objective, batch):
    kl, error, fooling = by_hand(model, objective, batch)
    torch.manual_seed(0)
    means = objective(model, batch).means()
    torch.testing.assert_close(means["rate"], kl)
    torch.testing.assert_close(means["features"], GAMMA * error)
    torch.testing.assert_close(means["fooling"], fooling)
    assert not means["distortion"].requires_grad


def test_a_schedule_of_gamma_leaves_the_encoder_its_gradient(model, batch, objective):
    other = copy.deepcopy(model)
    late = VAEGAN(objective.features, objective.head, Linear(0.01, 1, epochs=10)).train()
    for trained, gamma_objective in ((model, objective), (other, late)):
        torch.manual_seed(0)
        gamma_objective(trained, batch).total.backward()
    compare(model.encoder.parameters(), [p.grad for p in other.encoder.parameters()])
    assert differs([p.grad for p in model.decoder.parameters()], [p.grad for p in other.decoder.parameters()])


def test_the_game_reaches_neither_the_encoder_nor_a_prior_that_is_learned(objective, batch):
    bottleneck, encoder = Gaussian((3,)), MLPEncoder((6,), (6,), hidden=(8,))
    prior = Vamp((3,), (6,), 4)  # draws of it go through the encoder
    model = Autoencoder(encoder, bottleneck, MLPDecoder((3,), (6,)), GaussianLikelihood(), prior).double()
    objective(model, batch).means()["fooling"].backward()
    assert all(p.grad is None for p in (*encoder.parameters(), *prior.parameters()))
    assert any(p.grad.any() for p in model.decoder.parameters())


def test_rows_of_symbols_are_refused(objective):
    encoder, likelihood = MLPEncoder((6,), (6,), hidden=(8,)), Categorical(4)
    model = Autoencoder(encoder, Gaussian((3,)), MLPDecoder((3,), likelihood.params((6,))), likelihood)
    with pytest.raises(ConfigError, match="VAEGAN: needs rows of numbers; symbols have no derivative"):
        Recipe(model, objective)


def test_where_a_rows_entries_are_hidden_its_copy_stands_for_them(model, objective, batch):
    mask = torch.zeros(7, 6, dtype=torch.bool)
    blind = Batch(torch.full_like(batch.x, torch.nan), mask=mask, corrupted=batch.x)
    assert objective(model, blind).terms["features"].abs().max() == 0


def test_bad_arguments_are_refused():
    features = MLPEncoder((6,), (4,))
    with pytest.raises(ShapeError, match=r"VAEGAN: the head must read the features, got \(3,\)"):
        VAEGAN(features, MLPEncoder((3,), (1,)))
    with pytest.raises(ShapeError, match=r"VAEGAN: the head must give one logit, of shape \(1,\), got \(2,\)"):
        VAEGAN(features, MLPEncoder((4,), (2,)))
    with pytest.raises(ConfigError, match=r"VAEGAN: gamma must be >= 0.0001, got 0"):
        VAEGAN(features, MLPEncoder((4,), (1,)), 0)
