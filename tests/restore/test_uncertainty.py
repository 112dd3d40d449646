import numpy as np
import pytest
import torch

from xhat.parts.objectives.symmetries import SIDES, from_side
from xhat.restore.uncertainty import uncertain


def test_a_prior_that_treats_all_sides_alike_leaves_no_doubt():
    y = torch.rand(1, 1, 6, 8)
    found = uncertain(y, prior=lambda x, sigma: 0.9 * x, sigma=0.1)
    assert float(np.abs(found.spread).max()) < 1e-6
    torch.testing.assert_close(found.picture, 0.9 * y)


def test_the_spread_is_that_of_the_eight_answers():
    y = torch.rand(1, 1, 6, 6, dtype=torch.float64)
    ramp = torch.arange(36.0, dtype=torch.float64).view(1, 1, 6, 6) / 100
    found = uncertain(y, prior=lambda x, sigma: x * 0.5 + ramp, sigma=0.1)
    # Seen from side g the ramp is turned back by g.
    turned = torch.stack([from_side(ramp, side) for side in range(SIDES)])  # the same eight, in another order
    np.testing.assert_allclose(found.spread, turned.std(0).numpy(), rtol=1e-5)
    torch.testing.assert_close(found.picture, 0.5 * y + turned.mean(0))


def test_it_is_in_the_picture_s_units_and_each_answer_draws_anew():
    y = np.full((8, 8), 100, np.uint8)
    found = uncertain(y, prior=lambda x, sigma: x + 0.04 * torch.randn_like(x), sigma=1.0)
    assert found.picture.dtype == np.uint8
    assert float(found.spread.mean()) == pytest.approx(0.04 * 255, rel=0.2)
