"""DMSP: a denoiser's mean shift as the prior's gradient; the noise need not be known."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from xhat.core.shapes import per_row
from xhat.restore.problem import Problem
from xhat.restore.solver import Solver, State, descend
from xhat.restore.solvers._levels import LEAST


@dataclass(frozen=True)
class DMSP(Solver):
    r"""Follow the mean shift, whose length is :math:`\sigma^2` times the gradient of the smoothed log-density.

    .. math::
        g_{prior} &= x - D(x + \eta, \sigma), \quad \eta \sim N(0, \sigma^2) \\
        \lambda &= 1 / \sigma_n^2, \quad \text{unknown:} \;
        \lambda = \frac{N}{\|A x - y\|^2 + 2 \sigma^2 \, \mathrm{tr}(A A^T)} \\
        w &= \lambda / (\lambda + 1 / \sigma^2) \\
        v &\leftarrow \mu v - \alpha [(1 - w) g_{prior} + w A^T (A x - y)], \quad x \leftarrow \mathrm{clip}(x + v)

    with N the number of measurements, of hidden pixels none; of a blur the trace is :math:`N \sum k^2`. λ is estimated
    for each image. Told that there is no noise it is estimated too: w would be 1 and the prior silent.

    Parameters
    ----------
    iterations : int, default=300
        How many.
    sigma : float, default=11/255
        σ, at which the denoiser is used.
    momentum, rate : float, default=0.9 and 0.1
        μ and α.

    References
    ----------
    Bigdeli et al., "Deep Mean-Shift Priors for Image Restoration", NIPS 2017. Hutchinson, "A Stochastic Estimator of
    the Trace", 1990.
    """

    iterations: int = 300
    sigma: float = 11 / 255
    momentum: float = 0.9
    rate: float = 0.1

    def step(self, problem: Problem, state: State, t: int) -> State:
        """Step down once."""
        residual = problem.residual(state.x)
        if problem.sigma is None or problem.sigma < LEAST:
            count, square = per_row(problem.operator.measured(torch.ones_like(residual))), per_row(residual**2)  # (B,)
            precision = count / (square + 2 * self.sigma**2 * problem.operator.trace(problem.y, draws=1))
        else:
            precision = residual.new_full((len(residual),), 1 / problem.sigma**2)
        w = (precision / (precision + 1 / self.sigma**2))[:, None, None, None]
        g_prior = state.x - problem.denoised(state.x + self.sigma * torch.randn_like(state.x), self.sigma)
        g_data = problem.operator.adjoint(residual)
        return descend(state, (1 - w) * g_prior + w * g_data, self.momentum, self.rate)
