import torch
from exercise_models import plain_model

from xhat.core import Batch
from xhat.parts.objectives.binarising import Binarising


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
