"""What every solver keeps, on a prior of which all is known."""

import importlib
import inspect
import pkgutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from xhat.core.errors import ConfigError, DataError
from xhat.restore import solvers
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.custom import Custom
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.problem import Problem
from xhat.restore.solver import Solver
from xhat.restore.solvers.hqs import HQS

sys.path.append(str(Path(__file__).parents[1] / "restore"))

from gaussian_prior import GaussianPrior

NAMES = sorted(m.name for m in pkgutil.iter_modules(solvers.__path__) if not m.name.startswith("_"))
NOISE = 0.02


def found(name):
    module = importlib.import_module(f"xhat.restore.solvers.{name}")
    classes = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
    return [c for c in classes if not c.__name__.startswith("_")]


@pytest.fixture(params=NAMES)
def solver(request):
    return found(request.param)[0].example()


@pytest.fixture
def truth():
    torch.manual_seed(0)
    return GaussianPrior().draw(2, 1, 16, 16)


@pytest.fixture
def problem(truth):
    operator = Blur(torch.tensor([[0.1, 0.2, 0.1], [0.1, 0.3, 0.2]]).double(), "circular")
    return Problem(operator(truth) + NOISE * torch.randn_like(truth), operator, GaussianPrior(), NOISE)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_one_solver_with_its_equation_and_its_paper(name):
    (cls,) = found(name)
    assert issubclass(cls, Solver)
    assert cls.__name__.lower() == name
    assert ".. math::" in cls.__doc__
    assert "References" in cls.__doc__


def test_it_comes_nearer_than_its_start(solver, problem, truth):
    torch.manual_seed(1)
    before = (problem.operator.start(problem.y) - truth).square().mean()
    # The mean of several draws: a sampler's single image is as far from the truth as the truth is from the mean.
    many = replace(problem, y=problem.y.repeat(16, 1, 1, 1))
    mean = solver.solve(many).unflatten(0, (16, 2)).mean(0)
    assert (mean - truth).square().mean() < 0.9 * before


def test_the_same_draws_give_the_same_images_and_every_iteration_is_shown(solver, problem):
    shown = []
    torch.manual_seed(2)
    one = solver.solve(problem, watch=lambda t, x: shown.append((t, x.shape)))
    torch.manual_seed(2)
    assert torch.equal(one, solver.solve(problem))
    assert shown == [(t, one.shape) for t in range(1, solver.iterations + 1)]
    assert not one.requires_grad


def test_it_begins_where_it_is_told(problem, truth, solver):
    torch.manual_seed(3)
    one = type(solver)(iterations=1).solve(problem, truth)
    torch.manual_seed(3)
    other = type(solver)(iterations=1).solve(problem, torch.zeros_like(truth))
    assert not torch.allclose(one, other)


def test_without_iterations_it_is_refused(solver, problem):
    with pytest.raises(ConfigError, match=f"{type(solver).__name__}: iterations must be >= 1, got 0"):
        type(solver)(iterations=0).solve(problem)


@pytest.mark.parametrize("sigma", [NOISE, 0.0, None])
def test_what_stands_where_nothing_was_seen_has_no_influence(solver, truth, sigma):
    mask = torch.arange(256).view(16, 16) % 3 > 0
    operator, garbage = Inpaint(mask), torch.full_like(truth, 0.9)
    answers = []
    for y in (operator(truth), torch.where(mask, truth, garbage), torch.where(mask, truth, torch.nan)):
        torch.manual_seed(4)
        strength = NOISE if sigma is None and type(solver).__name__ != "DMSP" else sigma
        answers.append(solver.solve(Problem(y, operator, GaussianPrior(), strength)))
    assert answers[0].isfinite().all()
    assert torch.equal(answers[0], answers[1])
    assert torch.equal(answers[0], answers[2])


@pytest.mark.parametrize("gain", [3.0, 30.0])
def test_an_operator_that_amplifies_is_solved_as_the_same_one_in_other_units(solver, problem, gain):
    torch.manual_seed(5)
    plain = solver.solve(problem)
    operator = Custom(lambda x: gain * problem.operator(x), (1, 16, 16), lambda y: gain * problem.operator.adjoint(y))
    torch.manual_seed(5)
    start = problem.operator.start(problem.y)
    found = solver.solve(Problem(gain * problem.y, operator, problem.prior, gain * NOISE), start)
    # Within a level of 255: the norm is found by some steps of a power iteration.
    torch.testing.assert_close(found, plain, rtol=0, atol=1 / 255)


def test_what_amplifies_starts_at_images_too(truth):
    problem = Problem(300 * truth, Custom(lambda x: 300 * x, (1, 16, 16)), lambda x, sigma: x, 0.0)
    torch.testing.assert_close(HQS(iterations=1).solve(problem), truth, rtol=0, atol=1e-5)


def test_a_prior_that_answers_what_is_no_number_is_told(solver, problem):
    with pytest.raises(DataError, match=f"{type(solver).__name__}: the answer must be finite, got NaN or inf"):
        solver.solve(replace(problem, prior=lambda x, sigma: x * torch.nan))
