r"""Losses whose terms belong to rows: each process takes its own rows all the way, and a step needs one message.

With shares of the batch's weight :math:`s_r`, and terms :math:`t_b` that depend on no other row,

.. math:: L = \sum_r s_r L_r, \qquad \nabla L = \frac1N \sum_r \nabla (N s_r L_r),

the mean over the N processes of the gradients of their own rows. Whether terms are such is found out by a trial: a
batch and own rows of it, given their part of the same random numbers, must have them in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from xhat.core.batch import Batch
from xhat.core.loss import LEAST
from xhat.engine.divided import Division
from xhat.engine.draws import FILLS
from xhat.engine.processes import Processes
from xhat.engine.randomness import generators, set_generators
from xhat.engine.trainee import Trainee
from xhat.engine.twin import twin_of

# What terms of the same rows may differ by: kernels round differently in batches of other sizes.
CLOSE = 1e-3


class OwnDraws(TorchFunctionMode):
    """Within the block, calls for random numbers of own rows get their part of what is drawn for all rows.

    Parameters
    ----------
    n : int
        Rows of all processes.
    processes : Processes
        Who divide them.
    """

    def __init__(self, n: int, processes: Processes) -> None:
        super().__init__()
        self.n, (self.start, self.end) = n, processes.bounds(n)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in FILLS or kwargs.get("generator") is not None:
            return func(*args, **kwargs)
        like = args[0] if args and isinstance(args[0], Tensor) else None
        sizes = like.shape if like is not None else args[0] if args and isinstance(args[0], Sequence) else args
        rows, *rest = sizes or (0,)
        times, left = divmod(rows, self.end - self.start)  # a batch stands k times for k draws of a code
        if left or not times:
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
    """

    def __init__(self, processes: Processes, division: Division) -> None:
        self.processes, self.division = processes, division

    @contextmanager
    def own(self, batch: Batch) -> Iterator[tuple[Batch, float]]:
        """Give own rows of a batch, as views, and N s_r; fewer rows than processes are computed by all."""
        if len(batch) < self.processes.world:
            yield batch, 1.0
            return
        own = batch.span(*self.processes.bounds(len(batch)))
        with self.division.paused(), OwnDraws(len(batch), self.processes):
            yield own, self.processes.world * own.mass / max(batch.mass, LEAST)


def are_apart(trainee: Trainee, batch: Batch, processes: Processes) -> bool:
    """Whether the terms of a trainee's loss belong to rows; all processes give the same answer.

    Parameters
    ----------
    trainee : Trainee
        Stays as it is.
    batch : Batch
        Rows to try it on, raw.
    processes : Processes
        Who would divide them.
    """
    if processes.world == 1 or trainee.critic_parameters():
        return False
    device = batch.x.device
    with twin_of(trainee, device) as twin:
        found = twin is not None and len(batch) >= processes.world and _agree(twin.train(), batch, processes)
    return not processes.any(not found)


def _agree(twin: Trainee, raw: Batch, processes: Processes) -> bool:
    batch, device = twin.ready(raw), raw.x.device
    before, buffers = generators(device), _versions(twin)
    whole, after = twin.loss(batch).terms, generators(device)
    # Running statistics are of all rows.
    if _versions(twin) != buffers or any(term.ndim == 0 for term in whole.values()):
        return False
    set_generators(before, device)
    start, end = processes.bounds(len(batch))
    with OwnDraws(len(batch), processes):
        own = twin.loss(batch.span(start, end)).terms
    as_many = all(map(torch.equal, after, generators(device)))
    pairs = [(own[name], term[start:end]) for name, term in whole.items() if name in own]
    return as_many and own.keys() == whole.keys() and all(torch.allclose(a, b, CLOSE, CLOSE) for a, b in pairs)


def _versions(twin: Trainee) -> list[tuple[int, int]]:
    """Tell which tensors the buffers are, and how often they were written to, with whatever numbers."""
    return [(id(buffer), buffer._version) for buffer in twin.buffers()]
