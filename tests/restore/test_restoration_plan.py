"""What is decided before a restoration starts."""

import numpy as np
import pytest
import torch

from xhat.core.errors import UnknownKindError
from xhat.restore.direct import Direct
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.compress_sense import CompressSense
from xhat.restore.operators.demosaic import Demosaic
from xhat.restore.operators.denoise import Denoise
from xhat.restore.operators.downsample import Downsample
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.plan import make_plan, solver_for, solver_names
from xhat.restore.solvers.dmsp import DMSP
from xhat.restore.solvers.hqs import HQS


def same(x, sigma):
    return x


def test_every_solver_is_made_by_its_name():
    assert {type(solver_for(name, Downsample(2))).__name__.lower() for name in solver_names()} == set(solver_names())
    assert "hqs" in solver_names()


def test_hqs_goes_the_way_that_suits_the_operator_and_one_step_for_noise():
    assert solver_for("hqs", Denoise()) == Direct()
    assert solver_for("hqs", Blur(torch.ones(1, 1))) == HQS(iterations=8)
    assert solver_for("hqs", Downsample(2)) == HQS(iterations=24)
    assert solver_for("hqs", Demosaic()) == HQS(iterations=24, last=0.6 / 255)
    assert solver_for("hqs", Inpaint(torch.ones(1, 1, dtype=torch.bool))) == HQS(iterations=24, first=25 / 255)
    assert solver_for("hqs", CompressSense((1, 4, 4))) == HQS(iterations=48, first=100 / 255)
    assert solver_for("dmsp", Downsample(2)) == DMSP()
    mine = HQS(iterations=3)
    assert make_plan(torch.rand(3, 4, 4), None, same, 0.1, solver=mine).solver is mine


@pytest.mark.parametrize(("name", "near"), [("hsq", "did you mean 'hqs'?"), ("zzz", "use one of: daep,")])
def test_another_name_is_refused_with_a_suggestion(name, near):
    with pytest.raises(UnknownKindError, match=f"solvers: there is no '{name}'") as refused:
        solver_for(name, Denoise())
    assert near.lower() in str(refused.value).lower()


def test_noise_is_in_the_images_units_and_left_open_for_dmsp_alone():
    y = np.full((8, 8), 100, np.uint8)
    assert make_plan(y, None, same, 25.5).problem.sigma == pytest.approx(0.1)
    assert make_plan(y, None, same, solver="dmsp").problem.sigma is None
    assert make_plan(y, None, same).problem.sigma is not None


def test_an_answer_is_a_function_of_its_seed_and_leaves_the_generator_alone():
    plan = make_plan(torch.rand(3, 8, 8), None, same, 0.1, solver=DMSP(iterations=2))
    before = torch.get_rng_state()
    one = plan.answer(seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one, plan.answer(seed=1))
    assert not torch.equal(one, plan.answer(seed=2))


def test_the_direct_answer_is_the_denoiser_s():
    y = torch.rand(1, 3, 5, 7)
    seen = []
    plan = make_plan(y, None, lambda x, sigma: 0.5 * x + sigma, 0.1)
    torch.testing.assert_close(plan.answer(watch=lambda t, x: seen.append(t)), 0.5 * y + 0.1)
    assert seen == [1]


def test_without_noise_nothing_is_changed_by_a_denoiser_that_is_wrong_there():
    y = torch.rand(1, 3, 5, 7)
    torch.testing.assert_close(make_plan(y, None, lambda x, sigma: 0.5 * x, 0.0).answer(), y, rtol=0, atol=0)
    torch.testing.assert_close(make_plan(y, None, lambda x, sigma: 0.5 * x, 0.24 / 255).answer(), y, rtol=0, atol=0)
    torch.testing.assert_close(make_plan(y, None, lambda x, sigma: 0.5 * x, 0.26 / 255).answer(), 0.5 * y)


@pytest.mark.parametrize("solver", [*solver_names(), DMSP(iterations=3)], ids=str)
def test_an_image_s_answer_is_the_same_whatever_it_is_beside(solver):
    generator = torch.Generator().manual_seed(0)
    quiet, loud = (0.5 + s * torch.randn(1, 1, 40, 40, generator=generator) for s in (0.01, 0.2))
    kernel = torch.full((3, 3), 1 / 9)
    if isinstance(solver, str):
        cls = type(solver_for(solver, Blur(kernel)))
        solver = cls(iterations=3)
    plan = make_plan(torch.cat([quiet, loud]), Blur(kernel), lambda x, sigma: x * (1 - sigma), solver=solver)
    alone = make_plan(quiet, Blur(kernel), lambda x, sigma: x * (1 - sigma), solver=solver)
    assert plan.problem.sigma == alone.problem.sigma
    torch.testing.assert_close(plan.answer(seed=3)[:1], alone.answer(seed=3), rtol=0, atol=0)


def test_noise_is_estimated_of_each_image_of_a_batch():
    torch.manual_seed(0)
    y = 0.5 + torch.tensor([0.01, 0.1])[:, None, None, None] * torch.randn(2, 1, 64, 64)
    sigmas = [problem.sigma for problem in make_plan(y, None, same).problems]
    assert sigmas == [pytest.approx(0.01, rel=0.1), pytest.approx(0.1, rel=0.1)]


def test_iterations_are_counted_on_from_image_to_image():
    seen = []
    plan = make_plan(torch.rand(2, 3, 8, 8), Downsample(2), same, 0.1, solver=HQS(iterations=2))
    plan.answer(watch=lambda t, x: seen.append((t, len(x))))
    assert seen == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert plan.steps == 4
