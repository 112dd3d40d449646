from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from xhat.parts.objectives.symmetries import SIDES, from_side
from xhat.restore.calibration import ELSE, MEASURED, calibration
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.compress_sense import CompressSense
from xhat.restore.operators.denoise import Denoise
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.plan import make_plan
from xhat.restore.solvers.dmsp import DMSP
from xhat.restore.solvers.hqs import HQS
from xhat.restore.uncertainty import Drawn, _Side, doubted, pooled, uncertain

FACTOR = MEASURED[Denoise].factor


def test_a_prior_that_treats_all_sides_alike_leaves_no_doubt():
    y = torch.rand(1, 1, 6, 8)
    found = uncertain(y, prior=lambda x, sigma: 0.9 * x, sigma=0.1)
    assert float(np.abs(found.spread).max()) < 1e-5
    torch.testing.assert_close(found.picture, 0.9 * y)


def test_the_spread_is_that_of_the_eight_answers_pooled_and_calibrated():
    y = torch.rand(1, 1, 6, 6, dtype=torch.float64)
    ramp = torch.arange(36.0, dtype=torch.float64).view(1, 1, 6, 6) / 100
    found = uncertain(y, prior=lambda x, sigma: x * 0.5 + ramp, sigma=0.1)
    # Seen from side g the ramp is turned back by g.
    turned = torch.stack([from_side(ramp, side) for side in range(SIDES)])  # the same eight, in another order
    np.testing.assert_allclose(found.spread, FACTOR * pooled(turned.var(0)).sqrt(), rtol=1e-5)
    torch.testing.assert_close(found.picture, 0.5 * y + turned.mean(0))


def test_pooling_is_the_mean_of_channels_and_neighbours_that_are_in_doubt():
    variance = torch.rand(2, 3, 9, 7, dtype=torch.float64) + 0.1
    inner = pooled(variance)[:, 4, 3]
    torch.testing.assert_close(inner, variance[:, :, 2:7, 1:6].mean((1, 2, 3)))
    variance[:, :, :, 4:] = 0.0  # what the data decided
    found = pooled(variance)
    torch.testing.assert_close(found[:, 4, 3], variance[:, :, 2:7, 1:4].mean((1, 2, 3)))
    assert (found[:, :, 4:] == 0).all()


def test_it_is_in_the_picture_s_units_and_each_answer_draws_anew():
    y = np.full((20, 20), 100, np.uint8)
    found = uncertain(y, prior=lambda x, sigma: x + 0.04 * torch.randn_like(x), sigma=1.0)
    assert found.picture.dtype == np.uint8
    assert found.spread.shape == (20, 20)
    assert float(found.spread.mean()) == pytest.approx(FACTOR * 0.04 * 255, rel=0.1)


def test_what_was_seen_is_in_no_doubt():
    mask = torch.rand(16, 16, generator=torch.Generator().manual_seed(0)) < 0.5
    y, ramp = torch.rand(1, 3, 16, 16), torch.rand(16, 16)
    found = uncertain(y * mask, Inpaint(mask), lambda x, sigma: 0.9 * x + 0.1 * ramp, 0.0, solver=HQS(iterations=4))
    # The last data step leaves of the prior's answer what no picture shows.
    apart = found.spread[0] / MEASURED[Inpaint].factor
    assert apart[mask].max() < 0.05 / 255
    assert apart[~mask].min() > 0.5 / 255


def test_it_holds_as_many_errors_as_it_says_where_answers_are_as_wrong_as_they_differ():
    # Answers are the truth and noise of each one's own: their mean is off by a share of 1 / sqrt(8) of the spread.
    y = torch.full((1, 1, 64, 64), 0.5)
    found = uncertain(y, prior=lambda x, sigma: x + 0.03 * torch.randn_like(x), sigma=0.1)
    of_the_mean = torch.from_numpy(found.spread) / (FACTOR * SIDES**0.5)
    held = ((found.picture - y).abs()[:, 0] <= 2 * of_the_mean).float().mean()
    assert float(held) == pytest.approx(0.954, abs=0.012)


def test_steps_are_counted_on_from_answer_to_answer():
    seen = []
    plan = make_plan(torch.rand(3, 8, 8), Blur(torch.ones(2, 2)), lambda x, sigma: x, 0.1, solver=HQS(iterations=2))
    doubted(plan, watch=lambda t, x: seen.append(t))
    assert seen == list(range(1, SIDES * plan.solver.iterations + 1))


def test_the_factor_is_the_operator_s_and_the_coverage_only_of_what_was_measured():
    def plan(operator, solver):
        return SimpleNamespace(problem=SimpleNamespace(operator=operator), solver=solver)

    blur = Blur(torch.ones(1, 1))
    assert calibration(plan(blur, HQS())) == MEASURED[Blur]
    assert calibration(plan(blur, DMSP())).factor == MEASURED[Blur].factor
    assert calibration(plan(blur, DMSP())).coverage is None
    assert calibration(plan(SimpleNamespace(), HQS())) == ELSE
    assert all(each.factor > 1 for each in MEASURED.values())  # sides err together


def test_doubt_is_drawn_up_to_the_least_white_that_holds_nearly_all_of_it():
    spread = np.full((10, 10), 4.0, np.float32)
    spread[0, 0] = 0.0
    drawn = Drawn.of(spread, 255.0)
    assert drawn.white == 8
    assert drawn.pixels[5, 5] == 255
    assert drawn.pixels[0, 0] == 0
    deep = Drawn.of(257 * spread * 1.1, 65535.0)
    assert deep.white == 12
    assert deep.pixels[5, 5] == round(255 * 8.8 / 12)
    assert Drawn.of(np.zeros((3, 3), np.float32), 1.0).white == 1
    assert Drawn.of(np.full((3, 3), 9e9, np.float32), 255.0).white == 255


def test_each_answer_is_that_of_one_side_whatever_a_solver_does_with_sides():
    torch.manual_seed(0)
    ramp = torch.arange(36.0).view(6, 6) / 100
    y, mask = torch.rand(1, 1, 6, 6), torch.rand(6, 6) < 0.5
    plan = make_plan(y * mask, Inpaint(mask), lambda x, sigma: 0.5 * x + ramp, 0.0, solver=HQS(iterations=3))
    for side in range(SIDES):
        turned = from_side(ramp[None, None], side)
        alone = make_plan(y * mask, Inpaint(mask), lambda x, sigma, turned=turned: 0.5 * x + turned, 0.0)
        one = replace(alone, problems=(replace(alone.problem, turns=False),), solver=HQS(iterations=3)).answer()
        seen = [plan.answer(0, None, partial(_Side, other)) for other in range(SIDES)]
        assert min(float((one - other).abs().max()) for other in seen) < 1e-6


def test_of_a_batch_of_measurements_each_image_has_its_doubt():
    operator, ramp = CompressSense((3, 8, 8), 0.5), torch.rand(8, 8)
    y, prior = operator(torch.rand(2, 3, 8, 8)), lambda x, sigma: 0.9 * x + 0.1 * ramp
    found = uncertain(y, operator, prior, 0.01, solver=HQS(iterations=2))
    assert found.picture.shape == (2, 3, 8, 8)
    assert found.spread.shape == (2, 8, 8)
    one = uncertain(y[1], operator, prior, 0.01, solver=HQS(iterations=2))
    assert one.picture.shape == (3, 8, 8)
    np.testing.assert_array_equal(found.spread[1], one.spread)
