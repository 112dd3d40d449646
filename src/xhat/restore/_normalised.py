"""The same problem in units in which its operator amplifies nothing: steps and strengths are chosen for that."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from xhat.core.shapes import per_row, spread
from xhat.restore.operator import Operator
from xhat.restore.problem import Problem

# A norm found by few iterations is a little low, and of rounding a little above 1.
STEPS, SLACK = 10, 1.02


def normalised(problem: Problem, x: Tensor) -> Problem:
    r"""Divide by the operator's norm where that is above 1.

    .. math:: y / c = (A / c) \, x + n / c, \qquad c = \max(1, \|A\|)

    Parameters
    ----------
    problem : Problem
        What to solve.
    x : Tensor of shape (B, C, H, W)
        Images, for their shape.
    """
    if problem.operator.contracts:
        return problem
    c = norm(problem.operator, x)
    if c <= SLACK:
        return problem
    sigma = None if problem.sigma is None else problem.sigma / c
    return replace(problem, y=problem.y / c, operator=_Scaled(problem.operator, c), sigma=sigma)


def norm(operator: Operator, x: Tensor) -> float:
    r"""Estimate :math:`\|A\|`, the highest of the rows', by power iterations on :math:`A^T A`."""
    # Of its own draws: how an answer scatters does not hang on whether the norm was asked for.
    v = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)).to(x)
    square = per_row(v)
    for _ in range(STEPS):
        v = v / spread(per_row(v * v).sqrt().clamp(min=torch.finfo(v.dtype).tiny), v)
        v = operator.adjoint(operator(v))
        square = per_row(v * v).sqrt()
    return float(square.max()) ** 0.5


class _Scaled(Operator):
    def __init__(self, inner: Operator, c: float) -> None:
        super().__init__()
        self.inner, self.c = inner, c

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) / self.c

    def adjoint(self, y: Tensor) -> Tensor:
        return self.inner.adjoint(y) / self.c

    def start(self, y: Tensor) -> Tensor:
        # What starts by its transpose starts by this one's; others give y, or an interpolation of it.
        plain = type(self.inner).start is Operator.start
        return self.adjoint(y) if plain else self.inner.start(y)

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        return self.inner.prox(v, self.c * y, self.c**2 * rho)

    def measured(self, y: Tensor) -> Tensor:
        return self.inner.measured(y)
