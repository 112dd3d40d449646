"""Plan: all that a restoration needs, decided and checked before it starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xhat.core.catalogue import find, names
from xhat.core.errors import require
from xhat.engine.randomness import private_randomness
from xhat.restore import picture as pictures
from xhat.restore.direct import Direct
from xhat.restore.operator import Operator
from xhat.restore.operators.compress_sense import CompressSense
from xhat.restore.operators.custom import Custom
from xhat.restore.operators.denoise import Denoise
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.picture import Picture
from xhat.restore.prior import Prior
from xhat.restore.problem import Denoiser, Problem
from xhat.restore.solver import Solver, Watch
from xhat.restore.solvers.dmsp import DMSP
from xhat.restore.solvers.hqs import HQS

WHO = "restore"


@dataclass(frozen=True, eq=False)
class Plan:
    """A picture, the problem that it poses, and how that is solved.

    Parameters
    ----------
    came : Picture
        The picture, or a batch of them.
    problems : tuple of Problem
        What was measured of each, A, D and the noise's strength. Each is solved by itself: no image's noise, draws or
        answer depend on those beside it.
    solver : Solver
        How.
    """

    came: Picture
    problems: tuple[Problem, ...]
    solver: Solver

    @property
    def problem(self) -> Problem:
        """The first."""
        return self.problems[0]

    @property
    def steps(self) -> int:
        """How many iterations one answer takes, of all images together."""
        return len(self.problems) * self.solver.iterations

    def answer(
        self, seed: int = 0, watch: Watch | None = None, seen: Callable[[Denoiser], Denoiser] | None = None
    ) -> Tensor:
        """Carry it out.

        Parameters
        ----------
        seed : int, default=0
            Of what is drawn, the same for each image.
        watch : callable, optional
            Called after each iteration with its number, counted on from image to image, and its image (1, C, H, W).
        seen : callable, optional
            What the prior is taken as in this answer, which no solver then turns by itself.

        Returns
        -------
        Tensor of shape (B, C, H, W)
            In [0, 1].
        """
        answers = []
        for number, each in enumerate(self.problems):
            problem = each if seen is None else replace(each, prior=seen(each.prior), turns=False)
            on = None if watch is None else counted_on(watch, number * self.solver.iterations)
            with private_randomness(seed), torch.no_grad():
                answers.append(problem.operator.covered(self.solver.solve(problem, watch=on)))
        return torch.cat(answers)


def make_plan(
    y: Any,
    operator: Operator | None = None,
    prior: str | Path | Denoiser = "default",
    sigma: float | None = None,
    *,
    solver: str | Solver = "hqs",
) -> Plan:
    """Decide everything that was left open; arguments are those of `front.restore`."""
    require(
        sigma is None or _strength(sigma),
        WHO,
        "sigma must be a number >= 0",
        sigma,
        "leave it out to have it estimated",
    )
    operator = Denoise() if operator is None else operator
    made = isinstance(operator, Operator)
    require(made, WHO, "operator must be an operator", _name(operator), "as operators.blur.Blur(kernel)")
    named = isinstance(solver, str | Solver)
    require(named, WHO, "solver must be a name or a solver", _name(solver), "as 'hqs' or HQS(iterations=8)")
    chosen = solver if isinstance(solver, Solver) else solver_for(solver, operator)
    came = pictures.read(y, _row(y, operator))
    if not isinstance(operator, CompressSense | Custom):  # whose measurements may be any numbers
        pictures.check_range(operator(came.x) if isinstance(operator, Inpaint) else came.x)
    told = isinstance(prior, str | Path) or callable(prior)
    require(told, WHO, "prior must be 'default', a run folder or D(x, sigma)", _name(prior))
    denoise = Prior.load(prior) if isinstance(prior, str | Path) else prior
    noise = None if sigma is None else float(sigma) / came.unit
    found = noise is None and not isinstance(chosen, DMSP)
    rows = came.x.split(1)
    problems = (Problem(row, operator, denoise, operator.noise(row) if found else noise) for row in rows)
    return Plan(came, tuple(problems), chosen)


def counted_on(watch: Watch, steps: int) -> Watch:
    """Give a watch that counts on from earlier iterations."""
    return lambda t, x: watch(steps + t, x)


def solver_names() -> tuple[str, ...]:
    """List the solvers."""
    return names("solvers")


def solver_for(name: str, operator: Operator) -> Solver:
    """Make a solver by its name, with the settings that suit an operator.

    Raises
    ------
    UnknownKindError
        When there is none of that name.
    """
    cls = find(f"solvers/{name}")
    if cls is HQS and isinstance(operator, Denoise):
        return Direct()
    made: Solver = cls.suited(operator)
    return made


def _row(y: Any, operator: Operator) -> tuple[int, ...] | None:
    """Give the shape of one image's measurements, where these are no image."""
    if not isinstance(operator, CompressSense | Custom):
        return None
    like = y if isinstance(y, Tensor) and y.is_floating_point() and y.itemsize >= 4 else torch.zeros(())
    return tuple(operator(like.new_zeros(1, *operator.shape)).shape[1:])


def _strength(sigma: object) -> bool:
    return isinstance(sigma, Real) and 0 <= float(sigma) < math.inf


def _name(thing: object) -> str:
    return f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__
