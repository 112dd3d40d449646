"""RED: regularisation by denoising, in steepest descent."""

from __future__ import annotations

from dataclasses import dataclass

from xhat.restore.problem import Problem
from xhat.restore.solver import Solver, State


@dataclass(frozen=True)
class RED(Solver):
    r"""Descend the data's error and :math:`\tfrac12 x^T (x - D(x))`; no noise is added.

    .. math:: x \leftarrow x - \mu \left[A^T (A x - y) + \lambda \sigma_n^2 (x - D(x, \sigma))\right],
              \qquad \mu = \frac{2}{1 + \lambda \sigma_n^2}

    Parameters
    ----------
    iterations : int, default=200
        How many.
    sigma : float, default=3.25/255
        σ, at which the denoiser is used.
    weight : float, default=0.02 * 255**2
        λ, how much the prior counts.

    References
    ----------
    Romano, Elad and Milanfar, "The Little Engine That Could: Regularization by Denoising (RED)", SIIMS 2017.
    """

    iterations: int = 200
    sigma: float = 3.25 / 255
    weight: float = 0.02 * 255**2

    def step(self, problem: Problem, state: State, t: int) -> State:
        """Step down once."""
        share = self.weight * problem.known_sigma("solvers/red") ** 2
        gradient = problem.data_gradient(state.x) + share * (state.x - problem.denoised(state.x, self.sigma))
        return State(state.x - 2 / (1 + share) * gradient, state.v)
