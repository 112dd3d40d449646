import pytest
import torch
from exercise_models import plain_model

from xhat.core import Batch, Corruption
from xhat.core.errors import ConfigError
from xhat.parts.corruptions.gaussian_noise import GaussianNoise
from xhat.parts.corruptions.masking import Masking
from xhat.parts.corruptions.salt_and_pepper import SaltAndPepper
from xhat.parts.objectives.denoising import Denoising
from xhat.parts.objectives.emphasis import Emphasis
from xhat.parts.schedules.linear import Linear

CORRUPTIONS = [SaltAndPepper(0.4), Masking(0.4), GaussianNoise(0.3)]


def terms(objective, model, batch):
    torch.manual_seed(3)
    return objective(model, batch).terms


@pytest.fixture
def model():
    return plain_model()


@pytest.fixture
def x():
    return torch.rand(40, 6) * 0.8 + 0.1


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda c: type(c).__name__)
def test_equal_weights_are_denoising(model, x, corruption):
    mask = torch.rand(40, 6) < 0.7
    for batch in (Batch(x), Batch(x, mask=mask)):
        found = terms(Emphasis(corruption, alpha=1.0, beta=1.0), model, batch)
        (expected,) = terms(Denoising(corruption=corruption), model, batch).values()
        torch.testing.assert_close(found["spoiled"] + found["spared"], expected)


def test_without_the_spared_entries_it_is_denoising_on_the_hidden(model, x):
    found = terms(Emphasis(Masking(0.4), alpha=1.0, beta=0.0), model, Batch(x))
    (expected,) = terms(Denoising(corruption=Masking(0.4), on="hidden"), model, Batch(x)).values()
    torch.testing.assert_close(found["spoiled"], expected)
    assert not found["spared"].any()


def test_it_is_the_equation_with_each_entry_by_its_kind(model, x):
    corruption = SaltAndPepper(0.4)
    found = terms(Emphasis(corruption, alpha=2.0, beta=0.25), model, Batch(x))
    torch.manual_seed(3)
    seen = corruption(x)
    each = -model.decode(model.encode(seen).z).law.log_prob(x)  # (B, 6)
    changed = (seen != x).float()
    assert 0.2 < float(changed.mean()) < 0.6
    torch.testing.assert_close(found["spoiled"], (2 * each * changed).sum(1))
    torch.testing.assert_close(found["spared"], (0.25 * each * (1 - changed)).sum(1))


def test_a_hidden_entry_counts_as_spoiled_even_where_it_came_out_as_it_was(model):
    zeros = Batch(torch.zeros(5, 6))
    hidden = terms(Emphasis(Masking(1), alpha=1.0, beta=0.0), model, zeros)["spoiled"]
    torch.testing.assert_close(hidden, -model.decode(model.encode(zeros).z).log_prob(zeros.x))


class Pepper(Corruption):
    """Black, everywhere."""

    def forward(self, x):
        return torch.zeros_like(x)


def test_a_changed_entry_that_came_out_as_it_was_counts_as_spared(model):
    black = Batch(torch.zeros(5, 6))
    found = terms(Emphasis(Pepper(), alpha=1.0, beta=1.0), model, black)
    assert torch.equal(found["spoiled"], torch.zeros(5))
    torch.testing.assert_close(found["spared"], -model.decode(model.encode(black).z).log_prob(black.x))
    half = Batch(torch.tensor([[0.0, 0.0, 0.0, 0.5, 0.5, 0.5]]))
    found = terms(Emphasis(Pepper(), alpha=1.0, beta=1.0), model, half)
    each = -model.decode(model.encode(torch.zeros(1, 6)).z).law.log_prob(half.x)  # (1, 6)
    torch.testing.assert_close(found["spared"], each[:, :3].sum(1))
    torch.testing.assert_close(found["spoiled"], each[:, 3:].sum(1))


def test_both_weights_follow_their_schedules(model, x):
    objective = Emphasis(alpha=Linear(0, 2, epochs=10), beta="linear(1, 0, epochs=10)")
    constant = terms(Emphasis(alpha=1.0, beta=1.0), model, Batch(x))
    objective.epoch = 5
    found = terms(objective, model, Batch(x))
    torch.testing.assert_close(found["spoiled"], constant["spoiled"])
    torch.testing.assert_close(found["spared"], 0.5 * constant["spared"])


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_negative_weights_are_refused(name):
    with pytest.raises(ConfigError, match=f"Emphasis: {name} must be >= 0, got -1"):
        Emphasis(**{name: -1})
