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
from xhat.core.errors import ProcessError, require
from xhat.core.loss import LEAST
from xhat.core.schedule import Schedule
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
    """

    draws: list[int]
    terms: tuple[str, ...]


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

    def filled(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """Give all terms, zero where own rows say nothing of one: what processes tell one another has one length."""
        strange = [name for name in means if name not in self.habits.terms]
        rule = f"rows that are taken apart have the terms that a trial saw, {', '.join(self.habits.terms)}"
        require(not strange, "processes", rule, ", ".join(strange) or None, "train in one process", error=ProcessError)
        nothing = next(iter(means.values())).new_zeros(())
        return {name: means.get(name, nothing.clone()) for name in self.habits.terms}

    def average(self, parameters: Sequence[nn.Parameter], others: Sequence[Tensor]) -> None:
        """Average the gradients of parameters, and others in the same message.

        Where own rows give a parameter none it counts as zero; one that gets none from anybody keeps none.
        """
        learned = torch.ones(len(parameters), device=self.processes.device)
        missing = [i for i, parameter in enumerate(parameters) if parameter.grad is None]
        for i in missing:
            learned[i], parameters[i].grad = 0.0, torch.zeros_like(parameters[i])
        self.processes.average([*(p.grad for p in parameters if p.grad is not None), *others, learned])
        if missing:  # no question to a GPU but then
            by = learned.tolist()
            for i in missing:
                if by[i] == 0:
                    parameters[i].grad = None


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
    """Try it throughout the run: what a coefficient of zero hides at one time may depend on other rows at another."""
    objective = twin.objective
    ends = [part.epochs for part in objective.modules() if isinstance(part, Schedule)] + [objective.epochs]
    found: Habits | None = None
    for epoch in sorted({0.0, *ends, *(end / 2 for end in ends)}):
        objective.epoch = epoch
        habits = _at(twin, batch, processes)
        if habits is None or habits != (found or habits):
            return None
        found = habits
    return found


def _at(twin: Trainee, batch: Batch, processes: Processes) -> Habits | None:
    device = batch.x.device
    before, buffers = generators(device), _versions(twin)
    whole, after = twin.loss(batch).terms, generators(device)
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
    return Habits(draws.draws, tuple(whole))


def _are_close(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, 0.0, CLOSE * float(other.detach().abs().max()))


def _versions(twin: Trainee) -> list[tuple[int, int]]:
    """Tell which tensors the buffers are, and how often they were written to, with whatever numbers."""
    return [(id(buffer), buffer._version) for buffer in twin.buffers()]
