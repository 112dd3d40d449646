import pytest
import torch
from exercise_models import plain_model, variational_model

from xhat.core import Batch, Posterior
from xhat.parts.corruptions.gaussian_noise import GaussianNoise
from xhat.parts.corruptions.masking import Masking
from xhat.parts.objectives.adversarial import Adversarial
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.denoising import Denoising
from xhat.parts.objectives.rae import RAE
from xhat.parts.objectives.reconstruction import Reconstruction
from xhat.parts.schedules.linear import Linear


def test_without_noise_it_is_the_objective_itself():
    model, batch = plain_model(), Batch(torch.randn(5, 6))
    plain = Reconstruction()(model, batch).total
    torch.testing.assert_close(Denoising(corruption=GaussianNoise(0))(model, batch).total, plain)


def test_the_encoder_sees_the_spoiled_row_and_the_loss_the_clean_one():
    model, x = plain_model(), torch.randn(5, 6)
    (distortion,) = Denoising(corruption=Masking(1))(model, Batch(x)).terms.values()
    blind = model.decode(model.encode(torch.zeros(5, 6)).z)
    torch.testing.assert_close(distortion, -blind.log_prob(x))


def test_it_wraps_any_objective_and_speaks_for_it():
    critic = Denoising(Adversarial.example())
    assert critic.critic_parameters() == critic.objective.critic_parameters() != []
    assert critic.monitor == ("distortion",)
    assert critic.critic_loss(plain_model(), Batch(torch.randn(5, 6))).total.isfinite()
    assert Denoising(BetaELBO()).reads is Posterior
    assert (Denoising().shapes_prior, Denoising(BetaELBO()).shapes_prior) == (False, True)


@pytest.mark.parametrize(("epoch", "share"), [(0, 0.0), (5, 0.5), (20, 1.0)])
def test_the_epoch_reaches_the_wrapped_schedule(epoch, share):
    model, batch = variational_model(), Batch(torch.randn(5, 6))
    objective = Denoising(BetaELBO(Linear(0, 2, epochs=10)), GaussianNoise(0))
    objective.epoch = epoch
    rate = model.encode(batch).kl(model.prior)
    torch.testing.assert_close(objective(model, batch).terms["rate"], 2 * share * rate)


def test_a_mask_of_steps_parts_into_what_is_visible_and_what_is_hidden():
    x, there = torch.randn(30, 7, 2), torch.rand(30, 7) < 0.7
    changed = Denoising(corruption=Masking(0.5), on="hidden").changed(Batch(x, mask=there))
    assert torch.equal(changed.visible | changed.mask, there[..., None].expand_as(x))
    assert not (changed.visible & changed.mask).any()
    assert torch.equal(changed.corrupted[changed.visible], x[changed.visible])
    assert not changed.corrupted[changed.mask].any()


def test_what_is_wrapped_says_where_the_fit_begins():
    assert (Denoising().shapes_code, Denoising(RAE()).shapes_code) == (False, True)
