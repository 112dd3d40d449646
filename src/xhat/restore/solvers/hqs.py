"""HQS: half-quadratic splitting, a data step and a denoising step in turn."""

from __future__ import annotations

from dataclasses import dataclass

from xhat.restore.problem import Problem
from xhat.restore.solver import Solver, State

# Noise below a quarter of an 8-bit step is none: a data step that trusted y more would only amplify rounding.
LEAST = 0.25 / 255


@dataclass(frozen=True)
class HQS(Solver):
    r"""Solve for the data exactly, denoise, and trust the denoiser more and more.

    .. math::
        x_k &= \arg\min_x \|A x - y\|^2 + \rho_k \|x - z_{k-1}\|^2, \qquad
        \rho_k = \lambda \sigma_n^2 / \sigma_k^2 \\
        z_k &= D(x_k, \sigma_k)

    :math:`\sigma_k` falls geometrically from `first` to the noise's own strength, or to `last` where that is less.
    The answer is the last z, or where there is no noise what one more data step makes of it.

    Parameters
    ----------
    iterations : int, default=8
        How many; super-resolution takes 24.
    weight : float, default=0.23
        λ, how much the prior counts.
    first, last : float, default=49/255 and 2/255
        Ends of σ's way.

    References
    ----------
    Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", TPAMI 2021.
    """

    iterations: int = 8
    weight: float = 0.23
    first: float = 49 / 255
    last: float = 2 / 255

    def step(self, problem: Problem, state: State, t: int) -> State:
        """Take a data step and a denoising step."""
        noise = max(problem.known_sigma("solvers/hqs"), LEAST)
        sigma = level(t, self.iterations, self.first, max(self.last, noise))
        rho = self.weight * noise**2 / sigma**2
        x = problem.operator.prox(state.x, problem.y, rho)
        z = problem.denoised(x, sigma)
        # Without noise what was seen is certain: it has the last word.
        exact = t == self.iterations and noise == LEAST
        return State(problem.operator.prox(z, problem.y, rho) if exact else z, x)


def level(t: int, of: int, first: float, last: float) -> float:
    """Give the strength at iteration t of `of`, on a geometric way from `first` to `last`."""
    return last if of == 1 else first * (last / first) ** ((t - 1) / (of - 1))
