"""What the splitting solvers share."""

import sys
from pathlib import Path

import pytest
import torch

from xhat.restore.operators.blur import Blur
from xhat.restore.operators.denoise import Denoise
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.problem import Problem
from xhat.restore.solvers._levels import LEAST, answer, data_step, level, prior_step
from xhat.restore.solvers.diffpir import DiffPIR
from xhat.restore.solvers.hqs import HQS

sys.path.append(str(Path(__file__).parents[1]))

from gaussian_prior import GaussianPrior


def test_levels_fall_geometrically():
    assert [level(t, 3, 0.4, 0.1) for t in (1, 2, 3)] == pytest.approx([0.4, 0.2, 0.1])
    assert level(1, 1, 0.4, 0.1) == 0.1


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.5])
def test_the_strengths_of_hqs_never_rise_and_end_at_the_noise(noise):
    told = []
    y = torch.rand(1, 1, 8, 8)
    HQS(iterations=4).solve(Problem(y, Denoise(), lambda x, sigma: told.append(sigma) or x, noise))
    assert told == sorted(told, reverse=True)
    assert told[0] == pytest.approx(max(49 / 255, noise))
    assert told[-1] == pytest.approx(max(2 / 255, noise))


def test_the_prior_is_seen_from_each_side_and_its_answers_lie_where_they_belong():
    x, seen = torch.rand(1, 2, 4, 6), []

    def leaning(image, sigma):
        seen.append(image.clone())
        return image - image[..., :1, :1]  # takes away the corner that it sees first

    problem = Problem(x, Blur(torch.ones(1, 1)), leaning, 0.1)
    answers = [prior_step(problem, x, 0.1, t) for t in range(8)]
    assert len({tuple(image.flatten().tolist()) for image in seen}) == 8
    corners = torch.stack([(x - found)[0, 0, 0, 0] for found in answers])
    # Each corner of the image comes first twice, once for each way of mirroring.
    expected = x[0, 0, [0, 0, -1, -1], [0, -1, 0, -1]].repeat(2).sort().values
    torch.testing.assert_close(corners.sort().values, expected)
    assert all(found.shape == x.shape for found in answers)
    assert torch.equal(prior_step(problem, x, 0.1, 8), answers[0])


def test_the_data_step_weighs_the_prior_by_both_strengths():
    torch.manual_seed(0)
    mask = torch.rand(6, 6) < 0.5
    x, v = torch.rand(1, 1, 6, 6, dtype=torch.float64), torch.rand(1, 1, 6, 6, dtype=torch.float64)
    operator = Inpaint(mask)
    problem = Problem(operator(x), operator, GaussianPrior(), 0.02)
    rho = 0.23 * 0.02**2 / 0.05**2
    found = data_step(problem, v, 0.02, 0.05, 0.23)
    torch.testing.assert_close(found, torch.where(mask, (x + rho * v) / (1 + rho), v))
    assert answer(problem, v, 0.02, 0.05, 0.23) is v
    torch.testing.assert_close(answer(problem, v, LEAST, 0.05, 0.23)[..., mask], x[..., mask], rtol=0, atol=1e-3)


@pytest.mark.parametrize("solver", [HQS(iterations=3), DiffPIR(iterations=3)], ids=lambda s: type(s).__name__)
def test_a_denoiser_by_another_library_s_convention_serves(solver):
    # deepinv's: a module whose forward(x, sigma, **kwargs) takes images in [0, 1] and sigma in the same units, a
    # number or a tensor.
    told = []

    class Theirs(torch.nn.Module):
        def forward(self, x, sigma, **kwargs):
            told.append(float(torch.as_tensor(sigma).max()))
            assert not kwargs
            assert float(x.mean()) < 1.5
            return torch.nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    torch.manual_seed(0)
    operator = Blur(torch.ones(3, 3) / 9)
    y = operator(torch.rand(1, 3, 16, 16))
    found = solver.solve(Problem(y, operator, Theirs(), 2.55 / 255))
    assert found.shape == (1, 3, 16, 16)
    assert told[0] == pytest.approx(49 / 255)
    assert told[-1] == pytest.approx(solver.last if isinstance(solver, DiffPIR) else 2.55 / 255)
