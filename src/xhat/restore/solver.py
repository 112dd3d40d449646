"""The loop that all solvers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from xhat.core.errors import DataError, require
from xhat.restore._normalised import normalised
from xhat.restore.operator import Operator
from xhat.restore.problem import Problem


@dataclass(frozen=True)
class State:
    """Where a solver stands.

    Parameters
    ----------
    x : Tensor of shape (B, C, H, W)
        The images so far.
    v : Tensor of shape (B, C, H, W)
        What goes beside them: a velocity, or images before the data step; a solver without such leaves it at 0.
    """

    x: Tensor
    v: Tensor


Watch = Callable[[int, Tensor], object]


class Solver(ABC):
    """A way to find x; a dataclass whose fields are its configuration. A kind gives `step`."""

    iterations: int

    def solve(self, problem: Problem, x: Tensor | None = None, watch: Watch | None = None) -> Tensor:
        """Find the images of a problem; where A amplifies, of the same one in units in which it does not.

        Parameters
        ----------
        problem : Problem
            What to solve. Noise is drawn from torch's generator.
        x : Tensor of shape (B, C, H, W), optional
            Where to begin; by default at the operator's own start.
        watch : callable, optional
            Called with each iteration's number, from 1, and its images.

        Returns
        -------
        Tensor of shape (B, C, H, W)

        Raises
        ------
        DataError
            When the answer is no number.
        """
        name = type(self).__name__
        require(self.iterations >= 1, name, "iterations must be >= 1", self.iterations)
        with torch.no_grad():
            problem = normalised(problem, problem.operator.start(problem.y) if x is None else x)
            x = problem.operator.start(problem.y) if x is None else x
            state = State(x, torch.zeros_like(x))
            for t in range(1, self.iterations + 1):
                state = self.step(problem, state, t)
                if watch is not None:
                    watch(t, state.x)
        finite = bool(state.x.isfinite().all())
        hint = "look at what the operator and the prior give"
        require(finite, name, "the answer must be finite", "NaN or inf", hint, error=DataError)
        return state.x

    @abstractmethod
    def step(self, problem: Problem, state: State, t: int) -> State:
        """Take iteration t, from 1."""

    @classmethod
    def suited(cls, operator: Operator) -> Self:
        """Make one with the settings that suit an operator: the defaults, unless a kind knows better."""
        return cls()

    @classmethod
    def example(cls) -> Self:
        """Make one, for tests."""
        return cls()


def descend(state: State, gradient: Tensor, momentum: float, rate: float) -> State:
    r"""Step down with momentum and stay an image: :math:`v \leftarrow \mu v - \alpha g`, x ← clip(x + v)."""
    v = momentum * state.v - rate * gradient
    return State((state.x + v).clamp(0.0, 1.0), v)
