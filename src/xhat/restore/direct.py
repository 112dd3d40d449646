"""Direct: noise alone needs no iterations."""

from __future__ import annotations

from dataclasses import dataclass

from xhat.restore.problem import Problem
from xhat.restore.solver import Solver, State


@dataclass(frozen=True)
class Direct(Solver):
    r"""Ask the denoiser once, about what it was trained for.

    .. math:: \hat x = D(y, \sigma_n)

    For A = I only; it has no file among the solvers because it solves nothing else.
    """

    iterations: int = 1

    def step(self, problem: Problem, state: State, t: int) -> State:
        """Denoise y."""
        return State(problem.denoised(problem.y, problem.known_sigma("restore")), state.v)
