import torch
from exercise_models import plain_model

from xhat.core import Batch
from xhat.parts.objectives.reconstruction import Reconstruction


def test_it_is_the_negative_log_density_of_rows_given_their_codes():
    model, x = plain_model(), torch.randn(5, 6)
    (distortion,) = Reconstruction()(model, Batch(x)).terms.values()
    torch.testing.assert_close(distortion, -model.decode(model.encode(x).z).log_prob(x))


def test_descending_it_makes_better_copies():
    model, x = plain_model(), torch.randn(64, 2) @ torch.randn(2, 6)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    before = ((model.reconstruct(x) - x) ** 2).mean()
    for _ in range(200):
        optimiser.zero_grad()
        Reconstruction()(model, Batch(x)).total.backward()
        optimiser.step()
    assert ((model.reconstruct(x) - x) ** 2).mean() < 0.1 * before
