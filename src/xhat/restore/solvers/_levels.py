"""What solvers share: how little noise there can be, σ's way down, and the two steps of a splitting."""

from __future__ import annotations

from torch import Tensor

from xhat.parts.objectives.symmetries import SIDES, from_side, to_side
from xhat.restore.problem import Problem

# Noise below a quarter of an 8-bit step is none: a data step that trusted y more would only amplify rounding.
LEAST = 0.25 / 255
# Where gradients are weighed by the noise's strength, a prior beside data of less noise than this is hardly heard
# within some hundred steps.
AUDIBLE = 2.55 / 255


def level(t: int, of: int, first: float, last: float) -> float:
    """Give the strength at iteration t of `of`, on a geometric way from `first` to `last`."""
    return last if of == 1 else first * (last / first) ** ((t - 1) / (of - 1))


def prior_step(problem: Problem, x: Tensor, sigma: float, t: int) -> Tensor:
    r"""Give :math:`g^{-1} D(g x, \sigma)`, g one of the eight flips and turns, the next at each iteration.

    A net is not quite the same from each side. What it gets wrong from one, it does not repeat from the others.
    """
    side = t % SIDES if problem.turns else 0
    return to_side(problem.denoised(from_side(x, side), sigma), side)


def data_step(problem: Problem, v: Tensor, noise: float, sigma: float, weight: float) -> Tensor:
    r"""Give :math:`\arg\min_x \|A x - y\|^2 + \lambda \sigma_n^2 / \sigma_k^2 \|x - v\|^2`."""
    return problem.operator.prox(v, problem.y, weight * noise**2 / sigma**2)


def answer(problem: Problem, z: Tensor, noise: float, sigma: float, weight: float) -> Tensor:
    """Give the prior's last image or, without noise, what a data step makes of it: what was seen is then certain."""
    return data_step(problem, z, noise, sigma, weight) if noise == LEAST else z
