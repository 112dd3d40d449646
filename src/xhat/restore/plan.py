"""Plan: all that a restoration needs, decided and checked before it starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xhat.core.catalogue import find, names
from xhat.core.errors import ShapeError, require
from xhat.engine.randomness import private_randomness
from xhat.restore import picture as pictures
from xhat.restore.direct import Direct
from xhat.restore.operator import Operator
from xhat.restore.operators.compress_sense import CompressSense
from xhat.restore.operators.custom import Custom
from xhat.restore.operators.denoise import Denoise
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
        The picture.
    problem : Problem
        What was measured, A, D and the noise's strength.
    solver : Solver
        How.
    """

    came: Picture
    problem: Problem
    solver: Solver

    def answer(
        self, seed: int = 0, watch: Watch | None = None, seen: Callable[[Denoiser], Denoiser] | None = None
    ) -> Tensor:
        """Carry it out.

        Parameters
        ----------
        seed : int, default=0
            Of what is drawn.
        watch : callable, optional
            Called after each iteration with its number and its images.
        seen : callable, optional
            What the prior is taken as in this answer, which no solver then turns by itself.

        Returns
        -------
        Tensor of shape (B, C, H, W)
            In [0, 1].
        """
        problem = self.problem if seen is None else replace(self.problem, prior=seen(self.problem.prior), turns=False)
        with private_randomness(seed), torch.no_grad():
            return problem.operator.covered(self.solver.solve(problem, watch=watch))


def make_plan(
    y: Any,
    operator: Operator | None = None,
    prior: str | Path | Denoiser = "default",
    sigma: float | None = None,
    *,
    solver: str | Solver = "hqs",
) -> Plan:
    """Decide everything that was left open; arguments are those of `front.restore`."""
    known = sigma is None or 0 <= sigma < math.inf
    require(known, WHO, "sigma must be >= 0", sigma, "leave it out to have it estimated")
    operator = Denoise() if operator is None else operator
    chosen = solver if isinstance(solver, Solver) else solver_for(solver, operator)
    came = pictures.read(y)
    images, shape = came.x.ndim == 4 or isinstance(operator, CompressSense | Custom), tuple(came.x.shape)
    hint = "give a tensor (C, H, W) or (B, C, H, W)"
    require(images, WHO, "a tensor must be images", shape, hint, error=ShapeError)
    denoise = Prior.load(prior) if isinstance(prior, str | Path) else prior
    noise = None if sigma is None else sigma / came.unit
    if noise is None and not isinstance(chosen, DMSP):
        noise = operator.noise(came.x)
    return Plan(came, Problem(came.x, operator, denoise, noise), chosen)


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
