import pytest
import torch
from exercise_models import variational_model

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.info import Info
from xhat.parts.objectives.mmd import MMD

BATCH = Batch(torch.linspace(-2, 2, 48).view(8, 6))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return variational_model()


def terms(objective, model):
    torch.manual_seed(1)
    return objective(model, BATCH).terms


def test_alpha_zero_and_lambda_one_is_the_elbo(model):
    found, elbo = terms(Info(0.0, 1.0), model), terms(BetaELBO(), model)
    assert found.pop("mmd") == 0
    assert all(torch.equal(found[name], elbo[name]) for name in ("distortion", "rate"))


def test_alpha_one_is_a_wasserstein_autoencoder_with_a_random_encoder(model):
    found, mmd = terms(Info(1.0, 3.0), model), terms(MMD(3.0), model)
    assert not found.pop("rate").any()
    assert all(torch.equal(found[name], mmd[name]) for name in ("distortion", "mmd"))


def test_the_weights_are_one_minus_alpha_and_alpha_plus_lambda_minus_one(model):
    one, found = terms(Info(0.0, 2.0), model), terms(Info(-1.0, 5.0), model)
    torch.testing.assert_close(found["rate"], 2 * one["rate"])
    torch.testing.assert_close(found["mmd"], 3 * one["mmd"])


def test_schedules_are_followed(model):
    objective = Info("linear(0, 1, epochs=10)", 2.0)
    objective.epoch = 5
    torch.testing.assert_close(terms(objective, model)["rate"], 0.5 * terms(Info(0.0, 2.0), model)["rate"])
    assert not terms(objective.eval(), model)["rate"].any()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"alpha": 1.5}, "alpha must be <= 1, got 1.5"),
        ({"alpha": 0.0, "weight": 0.5}, "weight must be >= 1 - alpha, which is 1, got 0.5"),
        ({"weight": -1}, "weight must be >= 0"),
        ({"scales": ()}, "scales must be one or more numbers > 0"),
    ],
)
def test_bad_arguments_of_info_are_refused(arguments, says):
    with pytest.raises(ConfigError, match=f"Info: {says}"):
        Info(**arguments)


def test_schedules_that_meet_badly_are_refused_as_they_meet(model):
    objective = Info("linear(1, 0, epochs=5)", "linear(0, 1, epochs=10)")  # enough at both ends, not between
    objective.epoch = 5.0
    with pytest.raises(ConfigError, match="weight must be >= 1 - alpha, which is 1"):
        objective(model, BATCH)
