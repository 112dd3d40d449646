"""Where solvers end, on a Gaussian prior whose posterior mean is known."""

import sys
from pathlib import Path

import pytest
import torch

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.nets.unet import UNet
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.decimate import Decimate
from xhat.restore.operators.denoise import Denoise
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.problem import Problem
from xhat.restore.solver import State
from xhat.restore.solvers.daep import DAEP, prior_gradient
from xhat.restore.solvers.diffpir import DiffPIR
from xhat.restore.solvers.dmsp import DMSP
from xhat.restore.solvers.hqs import HQS
from xhat.restore.solvers.red import RED
from xhat.restore.solvers.snore import SNORE

sys.path.append(str(Path(__file__).parents[1]))

from gaussian_prior import GaussianPrior

PRIOR, NOISE, SIGMA = GaussianPrior(), 0.05, 0.04
KERNEL = torch.tensor([[0.1, 0.2, 0.1], [0.1, 0.3, 0.2]]).double()
# What x - D(x) is of (x - m) at SIGMA.
SHARE = SIGMA**2 / (PRIOR.s**2 + SIGMA**2)


@pytest.fixture
def problem():
    torch.manual_seed(0)
    operator = Blur(KERNEL, "circular")
    x = PRIOR.draw(1, 1, 12, 12)
    return Problem(operator(x) + NOISE * torch.randn_like(x), operator, PRIOR, NOISE)


def best(problem, rho):
    middle = torch.full_like(problem.y, PRIOR.mean)
    return problem.operator.prox(middle, problem.y, rho)


def mean_of(solver, problem, keep):
    """Average a stochastic solver over its last iterations."""
    torch.manual_seed(1)
    kept = []
    solver.solve(problem, watch=lambda t, x: kept.append(x) if t > solver.iterations - keep else None)
    return torch.stack(kept).mean(0)


def test_red_ends_where_its_gradient_does(problem):
    solver = RED(iterations=1500, sigma=SIGMA, weight=300.0)
    torch.testing.assert_close(solver.solve(problem), best(problem, 300.0 * NOISE**2 * SHARE), rtol=0, atol=1e-6)


def test_red_ends_at_the_posterior_mean_where_its_weight_says_so(problem):
    weight = (PRIOR.s**2 + SIGMA**2) / (SIGMA**2 * PRIOR.s**2)
    found = RED(iterations=500, sigma=SIGMA, weight=weight).solve(problem)
    torch.testing.assert_close(found, best(problem, NOISE**2 / PRIOR.s**2), rtol=0, atol=1e-6)


def test_hqs_at_one_level_ends_where_both_steps_agree(problem):
    solver = HQS(iterations=500, first=SIGMA, last=SIGMA, weight=0.5)
    problem = Problem(problem.y, problem.operator, PRIOR, SIGMA)
    fixed = best(problem, 0.5 * SIGMA**2 / (PRIOR.s**2 + SIGMA**2))
    torch.testing.assert_close(solver.solve(problem), PRIOR(fixed, SIGMA), rtol=0, atol=1e-6)


def test_without_noise_hqs_ends_at_images_that_the_data_allows():
    torch.manual_seed(0)
    mask = torch.rand(12, 12) < 0.5
    operator, x = Inpaint(mask), PRIOR.draw(1, 1, 12, 12)
    found = HQS().solve(Problem(operator(x), operator, PRIOR, 0.0))
    torch.testing.assert_close(found[..., mask], x[..., mask], rtol=0, atol=1e-3)
    noisy = HQS().solve(Problem(operator(x), operator, PRIOR, NOISE))
    assert (noisy - x)[..., mask].abs().max() > 0.02


def test_dmsp_hovers_about_the_root_of_its_gradient(problem):
    w = NOISE**-2 / (NOISE**-2 + SIGMA**-2)
    found = mean_of(DMSP(iterations=3000, sigma=SIGMA), problem, 2700)
    torch.testing.assert_close(found, best(problem, (1 - w) / w * SHARE), rtol=0, atol=0.015)


@pytest.mark.parametrize("operator", [Denoise(), Inpaint(torch.arange(64 * 64).view(64, 64) % 3 > 0)], ids=type)
def test_dmsp_finds_the_precision_that_its_equation_says(operator):
    torch.manual_seed(0)
    x = PRIOR.draw(1, 1, 64, 64)
    problem = Problem(x + NOISE * torch.randn_like(x), operator, lambda x, sigma: x, None)
    start = State(x, torch.zeros_like(x))
    torch.manual_seed(1)
    moved = DMSP(sigma=SIGMA, rate=1.0, momentum=0.0).step(problem, start, 1).v
    # D is the identity: g_prior = -η, and what remains of the data's gradient tells w.
    residual = operator(x - problem.y)
    w = float((-moved * residual).sum() / (residual**2).sum())
    seen = residual[residual != 0]  # N of them, and tr(A Aᵀ) = N
    precision = 1 / (float((seen**2).mean()) + 2 * SIGMA**2)
    assert w == pytest.approx(precision / (precision + SIGMA**-2), abs=0.03)


def test_daep_hovers_about_the_root_of_its_gradient(problem):
    a = 4 * 6.875 / (2 * SIGMA**2)
    w = a / (a + NOISE**-2)
    # Half the squared error's gradient: (1 - J)² of x - m.
    found = mean_of(DAEP(iterations=3000, sigma=SIGMA), problem, 2700)
    torch.testing.assert_close(found, best(problem, w / (1 - w) * SHARE**2), rtol=0, atol=0.015)


def test_the_gradient_of_daep_s_prior_is_that_of_its_energy():
    torch.manual_seed(0)
    net = UNet.example().double()
    torch.nn.init.normal_(net.last.weight, std=0.1)

    def prior(x, sigma):
        return net(x, torch.full((len(x),), sigma, dtype=x.dtype))

    x, eta = torch.rand(1, 2, 8, 8, dtype=torch.float64), 0.1 * torch.randn(1, 2, 8, 8, dtype=torch.float64)
    gradient = prior_gradient(prior, x, eta, 0.1)
    for _ in range(5):
        direction, step = torch.randn_like(x), 1e-6
        ahead, behind = (
            0.5 * (at - prior(at + eta, 0.1)).square().sum() for at in (x + step * direction, x - step * direction)
        )
        assert float((ahead - behind).detach() / (2 * step)) == pytest.approx(
            float((gradient * direction).sum()), rel=1e-5
        )
    assert not gradient.requires_grad


def test_snore_hovers_about_the_posterior_mean_where_its_weight_says_so(problem):
    # (x̃ - D(x̃)) noise²/σ² is noise²/(s² + σ²) of (x - m) on average.
    solver = SNORE(iterations=3000, first=1.0, last=1.0, weight=1.0, rate=0.2)
    found = mean_of(solver, problem, 2700)
    torch.testing.assert_close(found, best(problem, NOISE**2 / (PRIOR.s**2 + NOISE**2)), rtol=0, atol=0.008)


def test_draws_of_diffpir_gather_about_the_posterior_mean():
    torch.manual_seed(0)
    x = PRIOR.draw(1, 1, 12, 12)
    y = x + NOISE * torch.randn_like(x)
    problem = Problem(y, Denoise(), PRIOR, NOISE)
    many = Problem(y.expand(200, -1, -1, -1), Denoise(), PRIOR, NOISE)
    mean = DiffPIR(iterations=60, weight=1.0).solve(many).mean(0, keepdim=True)
    exact = best(problem, NOISE**2 / PRIOR.s**2)
    start = (y - exact).square().mean()
    assert (mean - exact).square().mean() < 0.1 * start


def test_without_noise_daep_trusts_the_data_more_and_more():
    torch.manual_seed(0)
    operator = Decimate(torch.ones(2, 2).double() / 4, 2)
    x = PRIOR.draw(1, 1, 12, 12)
    problem = Problem(operator(x), operator, PRIOR, 0.0)
    off = []
    solver = DAEP(iterations=400, sigma=SIGMA)
    solver.solve(problem, watch=lambda _, x: off.append(float((operator(x) - problem.y).std())))
    assert sum(off[-50:]) < 0.5 * sum(off[20:70])


def test_told_that_there_is_no_noise_dmsp_finds_its_weight_as_if_it_were_unknown(problem):
    answers = []
    for sigma in (None, 0.0):
        torch.manual_seed(0)
        answers.append(DMSP(iterations=5).solve(Problem(problem.y, problem.operator, PRIOR, sigma)))
    assert torch.equal(*answers)


@pytest.mark.parametrize("solver", [RED(iterations=10), SNORE(iterations=10)], ids=lambda s: type(s).__name__)
def test_without_noise_those_that_weigh_by_it_go_on_as_with_a_hundredth(problem, solver):
    answers = []
    for sigma in (0.0, 2.55 / 255):
        torch.manual_seed(0)
        answers.append(solver.solve(Problem(problem.y, problem.operator, PRIOR, sigma)))
    assert torch.equal(*answers)
    assert not torch.allclose(answers[0], problem.operator.start(problem.y), rtol=0, atol=1e-3)


@pytest.mark.parametrize("solver", [DAEP(), RED(), SNORE(), HQS(), DiffPIR()], ids=lambda s: type(s).__name__)
def test_what_needs_the_noise_says_so(solver, problem):
    with pytest.raises(ConfigError, match=r"needs the noise's strength\. Give sigma, or use solvers/dmsp"):
        solver.solve(Problem(problem.y, problem.operator, PRIOR))


@pytest.mark.parametrize("shape", [(0, 1, 8, 8), (1, 1, 8, 0)])
def test_nothing_measured_is_refused(shape):
    with pytest.raises(ShapeError, match=r"restore: something must have been measured, got \("):
        Problem(torch.ones(shape), Denoise(), PRIOR, NOISE)


@pytest.mark.parametrize("border", ["valid", "circular", "replicate"])
def test_a_kernel_larger_than_the_picture_is_refused_before_the_work(border):
    with pytest.raises(ShapeError, match=r"kernel of \(9, 9\) must not be larger than the image, got \(8, 20\)"):
        Problem(torch.ones(1, 1, 8, 20), Blur(torch.ones(9, 9) / 81, border), PRIOR, NOISE)


def test_noise_below_zero_is_refused(problem):
    with pytest.raises(ConfigError, match=r"restore: sigma must be >= 0, got -1"):
        Problem(problem.y, problem.operator, PRIOR, -1)
