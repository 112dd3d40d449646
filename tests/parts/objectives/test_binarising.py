import pytest
import torch
from exercise_models import plain_model

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.parts.objectives.binarising import Binarising
from xhat.parts.objectives.denoising import Denoising


def test_every_pixel_is_drawn_anew_with_its_gray_value_as_probability():
    x = torch.tensor([[0.0, 0.1, 0.5, 0.9, 1.0, 0.3]])
    objective, batch = Binarising(), Batch(x)
    draws = torch.cat([objective.changed(batch).x for _ in range(4000)])
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(draws.mean(0), x[0], rtol=0, atol=0.04)


def test_encoder_and_likelihood_see_the_same_draw():
    objective, model = Binarising(), plain_model()
    batch = Batch(torch.rand(5, 6))
    torch.manual_seed(3)
    drawn = objective.changed(batch)
    torch.manual_seed(3)
    loss = objective(model, batch)
    expected = -model.decode(model.encode(drawn).z).log_prob(drawn.x)
    assert torch.equal(loss.terms["distortion"], expected)


def test_the_view_of_the_encoder_is_changed_after_the_draw_and_never_before():
    model, batch = plain_model(), Batch(torch.rand(5, 6))
    with pytest.raises(ConfigError, match=r"Binarising: must come before .*\. Put Binarising outside"):
        Denoising(Binarising())(model, batch)
    assert Binarising(Denoising())(model, batch).total.isfinite()


@pytest.mark.parametrize(("low", "high"), [(-0.1, 1), (0, 1.5), (float("nan"), 1)])
def test_rows_that_are_no_gray_values_are_refused_at_the_start(low, high):
    x = torch.rand(5, 6)
    x[1, 2], x[3, 4] = low, high
    with pytest.raises(ConfigError, match=r"Binarising: rows must lie in \[0, 1\], got \[.*\]\. Use --scale unit"):
        Binarising().begin(plain_model(), Batch(x))


def test_the_wrapped_objective_begins_on_what_was_drawn_whatever_lies_in_a_gap():
    begun, mask = [], torch.ones(5, 6, dtype=torch.bool)
    mask[:, 1] = False
    objective = Binarising()
    objective.objective.begin = lambda model, batch: begun.append(batch.x)
    objective.begin(plain_model(), Batch(torch.rand(5, 6).masked_fill(~mask, torch.nan), mask=mask))
    assert set(begun[0].unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("hidden", [float("nan"), 100.0])
def test_what_lies_in_a_gap_is_not_judged(hidden):
    x, mask = torch.rand(5, 6), torch.ones(5, 6, dtype=torch.bool)
    mask[:, 1] = False
    model = plain_model()
    with torch.no_grad():
        model.encoder.layers[0].weight[:, 1] = 0  # nor seen
    found = []
    for value in (0.0, hidden):
        torch.manual_seed(3)
        found.append(Binarising()(model, Batch(x.masked_fill(~mask, value), mask=mask)).terms["distortion"])
    assert torch.equal(*found)
