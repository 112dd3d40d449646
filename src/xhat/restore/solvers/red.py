"""RED: regularisation by denoising, in steepest descent."""

from __future__ import annotations

from dataclasses import dataclass

from xhat.restore.problem import Problem
from xhat.restore.solver import Solver, State
from xhat.restore.solvers._levels import AUDIBLE


@dataclass(frozen=True)
class RED(Solver):
    r"""Descend the data's error and :math:`\tfrac12 x^T (x - D(x))`; no noise is added.

    .. math:: x \leftarrow \mathrm{clip}\left(x
              - \mu \left[A^T (A x - y) + \lambda \sigma_n^2 (x - D(x, \sigma))\right]\right),
              \qquad \mu = \frac{1}{1 + \lambda \sigma_n^2}

    μ is half of the paper's, which is the longest that a D without any expansion allows: at twice this step an early
    prior amplified what it knew badly (of crops of BSDS500's training part 27.1 dB and not 27.9 at deblurring, 22.7 and
    not 24.0 at filling).
    A of a norm above 1 is divided by that (`Solver.solve`). Where the data has less noise than 2.55/255,
    :math:`\sigma_n` is that.

    Parameters
    ----------
    iterations : int, default=100
        How many.
    sigma : float, default=5/255
        σ, at which the denoiser is used; at the paper's 3.25 deblurring, filling and enlarging lost 0.2 to
        0.4 dB.
    weight : float, default=0.02 * 255**2
        λ, how much the prior counts.

    References
    ----------
    Romano, Elad and Milanfar, "The Little Engine That Could: Regularization by Denoising (RED)", SIIMS 2017.
    """

    iterations: int = 100
    sigma: float = 5 / 255
    weight: float = 0.02 * 255**2

    def step(self, problem: Problem, state: State, t: int) -> State:
        """Step down once."""
        share = self.weight * max(problem.known_sigma("solvers/red"), AUDIBLE) ** 2
        gradient = problem.data_gradient(state.x) + share * (state.x - problem.denoised(state.x, self.sigma))
        return State((state.x - gradient / (1 + share)).clamp(0.0, 1.0), state.v)
