import math

import pytest
import torch
from exercise_models import plain_model
from torch.nn.functional import softplus

from xhat.core import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.adversarial import Adversarial


@pytest.fixture
def model():
    return plain_model()


@pytest.fixture
def batch():
    return Batch(torch.randn(64, 6))


def saying(logit, weight=1.0):
    """An objective whose critic answers `logit` to everything."""
    objective = Adversarial(MLPEncoder((3,), (1,), hidden=()), weight)
    objective.critic.layers[0].weight.data.zero_()
    objective.critic.layers[0].bias.data.fill_(logit)
    return objective


@pytest.mark.parametrize("logit", [-2.0, 0.0, 3.0])
def test_the_terms_are_the_equations_for_a_critic_that_always_says_the_same(model, batch, logit):
    objective, said = saying(logit, weight=4.0), torch.tensor(logit)
    torch.testing.assert_close(objective(model, batch).terms["fooling"], 4 * softplus(-said).expand(64))
    critic = objective.critic_loss(model, batch).terms
    torch.testing.assert_close(critic["real"], softplus(-said).expand(64))
    torch.testing.assert_close(critic["fake"], softplus(said).expand(64))


def test_a_critic_that_cannot_tell_pays_two_log_two_and_stays(model, batch):
    objective = saying(0.0)
    loss = objective.critic_loss(model, batch).total
    assert loss.item() == pytest.approx(2 * math.log(2))
    loss.backward()
    assert float(objective.critic.layers[0].bias.grad) == pytest.approx(0, abs=1e-6)


def test_a_critic_learns_to_tell_codes_that_are_unlike_the_prior(model, batch):
    model.encoder.layers[-1].bias.data.fill_(4.0)
    objective = Adversarial.example()
    optimiser = torch.optim.Adam(objective.critic_parameters(), 0.02)
    for _ in range(150):
        optimiser.zero_grad()
        objective.critic_loss(model, batch).total.backward()
        optimiser.step()
    assert objective.critic_loss(model, batch).total.item() < 0.3
    # The fooling term now pulls the codes back towards the prior.
    z = model.encode(batch).z.detach().requires_grad_()
    before = objective._fixed_critic(z).mean()
    (step,) = torch.autograd.grad(before, z)
    assert objective._fixed_critic(z + 100 * step).mean() > before
    assert (z + 100 * step).norm() < z.norm()


def test_the_fooling_term_moves_the_encoder_and_not_the_decoder(model, batch):
    Adversarial.example()(model, batch).terms["fooling"].mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.encoder.parameters())
    assert all(p.grad is None for p in model.decoder.parameters())


def test_bad_arguments_are_refused():
    with pytest.raises(ShapeError, match=r"Adversarial: the critic must give one logit, of shape \(1,\), got \(2,\)"):
        Adversarial(MLPEncoder((3,), (2,)))
    with pytest.raises(ConfigError, match="Adversarial: weight must be >= 0, got -1"):
        Adversarial(MLPEncoder((3,), (1,)), -1)
