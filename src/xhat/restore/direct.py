"""Direct: noise alone needs no iterations."""

from __future__ import annotations

from dataclasses import dataclass

from xhat.restore.problem import Problem
from xhat.restore.solver import Solver, State
from xhat.restore.solvers._levels import LEAST


@dataclass(frozen=True)
class Direct(Solver):
    r"""Ask the denoiser once, about what it was trained for.

    .. math:: \hat x = D(y, \sigma_n)

    For A = I only; it has no file among the solvers because it solves nothing else. Noise below a quarter of an 8-bit
    step is none, and y the answer: what a net makes of it could only be worse.
    """

    iterations: int = 1

    def step(self, problem: Problem, state: State, t: int) -> State:
        """Denoise y."""
        noise = problem.known_sigma("restore")
        return State(problem.y if noise < LEAST else problem.denoised(problem.y, noise), state.v)
