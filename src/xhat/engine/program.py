"""A step of many models as one program: called as it is, traced once, or compiled, whichever pays."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.utils._pytree import tree_flatten, tree_unflatten

from xhat.engine.lowered import lowered, traced
from xhat.engine.stack import Stack
from xhat.engine.stacked_adamw import move

# Calls that earn back a trace, which leaves out what Python does between the operations.
TRACED = 150
# Calls whose least time tells how long a step takes.
TIMED = 30
# Seconds that steps must still take to earn back a compilation, which costs some 20 and halves them or better.
COMPILED = 90.0

Step = Callable[..., tuple[dict[str, Tensor], dict[str, Tensor]]]


class Program:
    """The step of a stack: gradients, clipping and AdamW, in place.

    Parameters
    ----------
    stack : Stack
        Whose step it is; it must be in training mode when it is called.
    calls : int
        How often it will be called at most.
    compile : str, default="auto"
        "on", "off", or "auto" where it earns back what that takes.
    """

    def __init__(self, stack: Stack, calls: int, compile: str = "auto") -> None:
        self.calls, self.compile = calls, compile
        self.form = "plain"
        self._step: Step = _step(stack)
        self._graph: GraphModule | None = None  # of tensors alone: to take records apart takes longer than it computes
        self._run: Callable[..., Sequence[Tensor]] | None = None  # the graph, or its code
        self._names: tuple[list[str], list[str]] = ([], [])  # of what it gives
        self._least, self._called = float("inf"), 0

    def __call__(self, *arguments: Any) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Step; give the terms' means, (M,), and the buffers that changed.

        Parameters
        ----------
        *arguments
            Weights, the optimiser's state and rates, buffers, coefficients, a batch's fields and draws.
        """
        if self._called == 0 and self.calls >= TRACED:
            self._trace(arguments)
        start = time.perf_counter()
        with torch.no_grad():
            result = self._step(*arguments) if self._run is None else self._named(self._run(*_leaves(arguments)))
        self._called += 1
        if self._called <= TIMED:
            self._least = min(self._least, time.perf_counter() - start)
            pays = self._called == TIMED and self._least * (self.calls - TIMED) > COMPILED
            if (self.compile == "on" and self._called == 1) or (self.compile == "auto" and pays):
                self._compile(arguments)
        return result

    def _trace(self, arguments: tuple[Any, ...]) -> None:
        _, spec = tree_flatten(arguments)

        def flat(*leaves: Tensor) -> list[Tensor]:
            means, held = self._step(*tree_unflatten(list(leaves), spec))
            self._names = (list(means), list(held))
            return [*means.values(), *held.values()]

        # On copies: tracing takes the step.
        with torch.no_grad():
            self._graph = self._run = traced(flat, _leaves(_copied(arguments)))
        self.form = "traced"

    def _named(self, given: Sequence[Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        means, held = self._names
        return dict(zip(means, given, strict=False)), dict(zip(held, given[len(means) :], strict=True))

    def _compile(self, arguments: tuple[Any, ...]) -> None:
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's, of its own insides
                if self._graph is None:
                    self._trace(arguments)
                code = lowered(cast(GraphModule, self._graph), _leaves(_copied(arguments)))
                code(*_leaves(_copied(arguments)))
        # A compiler that is not there or fails: the run goes on without it.
        except Exception as error:
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            warnings.warn(f"training goes on without compiling, which failed: {why}", RuntimeWarning, stacklevel=4)
        else:
            self._run, self.form = code, "compiled"


def _leaves(node: Any) -> list[Tensor]:
    """List the tensors of nested tuples, lists and dicts, as torch's `tree_flatten` does, which asks more of each."""
    if isinstance(node, Tensor):
        return [node]
    parts = node.values() if isinstance(node, dict) else node
    return [leaf for part in parts for leaf in _leaves(part)]


def _copied(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copy what a step changes in place: the weights and the optimiser's state."""
    flat, state, *rest = arguments
    return flat.clone(), [value.clone() for value in state], *rest


def _step(stack: Stack) -> Step:
    gradients = stack.gradients()

    def step(
        flat: Tensor, state: list[Tensor], rates: Sequence[Tensor], *rest: Any
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        g, means, held = gradients(flat, *rest)
        move(flat, g, state, rates)
        return means, held

    return step
