r"""Losses whose terms belong to rows: each process takes its own rows all the way, and a step needs one message.

With shares of the batch's weight :math:`s_r`, and terms :math:`t_b` that depend on no other row,

.. math:: L = \sum_r s_r L_r, \qquad \nabla L = \frac1N \sum_r \nabla (N s_r L_r),

the mean over the N processes of the gradients of their own rows. Whether terms are such is found out by a trial: some
rows, and a process's own of them with their part of the same random numbers, must have them in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from xhat.core.batch import Batch
from xhat.core.errors import TrainingError, require
from xhat.core.loss import LEAST
from xhat.engine.divided import Division
from xhat.engine.draws import FILLS
from xhat.engine.processes import Processes
from xhat.engine.randomness import generators, set_generators
from xhat.engine.trainee import Trainee
from xhat.engine.twin import twin_of

# Rows of a trial, for each process; one more makes shares unequal.
ROWS = 7
# What terms of the same rows may differ by, beside the largest: kernels round otherwise in batches of other sizes.
CLOSE = 1e-4


@dataclass(frozen=True)
class Habits:
    """What a trial saw of a loss.

    Parameters
    ----------
    draws : list of int
        Of each call for random numbers, in their order: how often rows stand in it, 0 where it is not of rows.
    terms : tuple of str
        Names.
    learned : tuple of bool
        Which of the main parameters had a gradient.
    """

    draws: list[int]
    terms: tuple[str, ...]
    learned: tuple[bool, ...]


class OwnDraws(TorchFunctionMode):
    """Within the block, calls for random numbers of own rows get their part of what is drawn for all rows.

    Parameters
    ----------
    n : int
        Rows of all processes.
    processes : Processes
        Who divide them.
    habits : list of int, optional
        See `Habits`; without it a call is of rows where its first axis is a multiple of theirs, and noted in `draws`.
    """

    def __init__(self, n: int, processes: Processes, habits: Sequence[int] = ()) -> None:
        super().__init__()
        self.n, (self.start, self.end) = n, processes.bounds(n)
        self.habits, self.draws = iter(habits), list[int]()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in FILLS or kwargs.get("generator") is not None:
            return func(*args, **kwargs)
        like = args[0] if args and isinstance(args[0], Tensor) else None
        sizes = like.shape if like is not None else args[0] if args and isinstance(args[0], Sequence) else args
        rows, *rest = sizes or (0,)
        times, left = divmod(rows, self.end - self.start)  # rows stand k times for k draws of a code
        times = next(self.habits, 0 if left else times)
        self.draws.append(times)
        if times * (self.end - self.start) != rows or not times:
            return func(*args, **kwargs)
        shape = (times * self.n, *rest)
        drawn = func(shape, **kwargs) if like is None else func(like.new_empty(shape), **kwargs)
        return drawn.unflatten(0, (times, self.n))[:, self.start : self.end].flatten(0, 1)


class Apart:
    """How a step is taken on own rows.

    Parameters
    ----------
    processes : Processes
        Who divide a batch.
    division : Division
        What else divides its rows inside the nets.
    habits : Habits
        The loss's.
    """

    def __init__(self, processes: Processes, division: Division, habits: Habits) -> None:
        self.processes, self.division, self.habits = processes, division, habits

    @contextmanager
    def own(self, batch: Batch) -> Iterator[tuple[Batch, float]]:
        """Give own rows of a batch, as views, and N s_r; fewer rows than processes are computed by all."""
        if len(batch) < self.processes.world:
            yield batch, 1.0
            return
        own = batch.span(*self.processes.bounds(len(batch)))
        with self.division.paused(), OwnDraws(len(batch), self.processes, self.habits.draws):
            yield own, self.processes.world * own.mass / max(batch.mass, LEAST)

    def filled(self, means: dict[str, Tensor], parameters: Sequence[nn.Parameter]) -> dict[str, Tensor]:
        """Give all terms, and parameters their gradients, with zeros where own rows said nothing of them.

        What processes tell one another has one length.
        """
        strange = [name for name in means if name not in self.habits.terms]
        rule = f"processes that take rows apart need the terms that a trial saw, {', '.join(self.habits.terms)}"
        require(not strange, "fit", rule, ", ".join(strange) or None, "train in one process", error=TrainingError)
        for parameter, learned in zip(parameters, self.habits.learned, strict=True):
            if learned and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        nothing = next(iter(means.values())).new_zeros(())
        return {name: means.get(name, nothing.clone()) for name in self.habits.terms}


def habits_of_rows(trainee: Trainee, batch: Batch, processes: Processes) -> Habits | None:
    """Try whether the terms of a trainee's loss belong to rows; None, on all processes, where they do not.

    Parameters
    ----------
    trainee : Trainee
        Stays as it is.
    batch : Batch
        Rows to try it on, raw; a few of them are enough.
    processes : Processes
        Who would divide them.
    """
    few = batch.span(0, ROWS * processes.world + 1)
    if processes.world == 1 or trainee.critic_parameters():
        return None
    with twin_of(trainee, batch.x.device) as twin:
        found = None if twin is None or len(few) < processes.world else _tried(twin.train(), twin.ready(few), processes)
    return None if processes.any(found is None) else found


def _tried(twin: Trainee, batch: Batch, processes: Processes) -> Habits | None:
    """Try it amid the run and at its end: what is multiplied by nothing at its start may depend on other rows."""
    for epoch in (twin.objective.epochs / 2, twin.objective.epochs):
        twin.objective.epoch = epoch
        if (found := _at(twin, batch, processes)) is None:
            return None
    return found


def _at(twin: Trainee, batch: Batch, processes: Processes) -> Habits | None:
    device = batch.x.device
    before, buffers = generators(device), _versions(twin)
    loss = twin.loss(batch)
    whole, after = loss.terms, generators(device)
    # Running statistics are of all rows.
    if _versions(twin) != buffers or any(term.ndim == 0 for term in whole.values()):
        return None
    set_generators(before, device)
    start, end = processes.bounds(len(batch))
    with OwnDraws(len(batch), processes) as draws:
        own = twin.loss(batch.span(start, end)).terms
    as_many = all(map(torch.equal, after, generators(device)))
    if not as_many or own.keys() != whole.keys():
        return None
    if not all(_are_close(own[name], term[start:end]) for name, term in whole.items()):
        return None
    twin.zero_grad()
    loss.total.backward()
    learned = tuple(parameter.grad is not None for parameter in twin.main_parameters())
    return Habits(draws.draws, tuple(whole), learned)


def _are_close(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, 0.0, CLOSE * float(other.abs().max()))


def _versions(twin: Trainee) -> list[tuple[int, int]]:
    """Tell which tensors the buffers are, and how often they were written to, with whatever numbers."""
    return [(id(buffer), buffer._version) for buffer in twin.buffers()]
