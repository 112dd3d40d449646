r"""Rows divided among processes where nets compute, and nowhere else.

Every process holds the same batch and evaluates the same loss. On their way through a net its rows are divided,

.. math:: h = [\, f(x_1);\; f(x_2);\; \dots;\; f(x_N) \,], \qquad x = [x_1; \dots; x_N],

process r computes :math:`f(x_r)`, and what comes out is gathered: codes of all rows, and of p(x|z) the rows'
log-densities. All that stands between nets (bottlenecks, priors, discrepancies between codes, codebooks' running means,
critics) sees the whole batch, as in one process; no part has to know how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.data_distribution import DataDistribution
from xhat.core.encoder import Encoder
from xhat.engine.processes import Processes


@contextmanager
def divided(model: nn.Module, objective: nn.Module, processes: Processes) -> Iterator[Division]:
    """Let the processes divide the rows of a model's nets, and of an objective's critics of rows, within the block.

    Fewer rows than processes are computed by all of them. So are nets whose rows meet, in a batch normalisation.

    Parameters
    ----------
    model : nn.Module
        An autoencoder.
    objective : nn.Module
        What it is trained by.
    processes : Processes
        Who divides; alone nothing is changed.
    """
    division = Division()
    if processes.world == 1:
        yield division
        return
    encoder, decoder, likelihood = (cast(nn.Module, getattr(model, n)) for n in ("encoder", "decoder", "likelihood"))
    # Critics of codes are small: dividing them would cost more than it saves.
    critics = [m for m in objective.modules() if isinstance(m, Encoder) and m.in_shape == encoder.in_shape]
    handles: list[Any] = []
    for net in (encoder, *critics):
        if not _meet(net):
            handles += _Share(net, processes, division).hooks()
    if not _meet(decoder):
        share = _Share(decoder, processes, division)
        handles += [decoder.register_forward_pre_hook(share.enter), decoder.register_forward_hook(share.leave_divided)]
        handles += [likelihood.register_forward_hook(share.wrap)]
    try:
        yield division
    finally:
        for handle in handles:
            handle.remove()


class Division:
    """Whether rows are divided where nets compute."""

    on = True

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nets compute what they are given within the block."""
        self.on = False
        try:
            yield
        finally:
            self.on = True


class _Share:
    """One net's hooks: what it is called with is cut to this process's rows, what it gives is gathered."""

    def __init__(self, net: nn.Module, processes: Processes, division: Division) -> None:
        self.net, self.processes, self.division, self.draws = net, processes, division, _draws(net)
        self.rows: int | None = None  # of the whole batch; None where all compute it
        self.random: list[Tensor] = []

    def hooks(self) -> list[Any]:
        return [self.net.register_forward_pre_hook(self.enter), self.net.register_forward_hook(self.leave)]

    def enter(self, _net: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        n = len(arguments[0])
        self.rows = n if self.division.on and n >= self.processes.world else None
        if self.rows is None:
            return arguments
        if self.draws:
            self.random = _own_draws(self.processes)
        return tuple(_cut(value, n, self.processes) for value in arguments)

    def leave(self, net: nn.Module, arguments: tuple[Any, ...], given: Tensor) -> Tensor:
        self.leave_divided(net, arguments, given)
        return given if self.rows is None else _gather(given, self.rows, self.processes)

    def leave_divided(self, _net: nn.Module, _arguments: tuple[Any, ...], _given: Tensor) -> None:
        _draws_of_all(self.random)
        self.random = []

    def wrap(self, _net: nn.Module, _arguments: tuple[Any, ...], given: DataDistribution) -> DataDistribution:
        n, self.rows = self.rows, None
        return given if n is None else _Divided(given, n, self.processes)


class _Divided(DataDistribution):
    """p(x|z) of n rows, of which each process knows its own."""

    def __init__(self, own: DataDistribution, n: int, processes: Processes) -> None:
        super().__init__(own.law)
        self.own, self.n, self.processes = own, n, processes

    @property
    def mean(self) -> Tensor:
        return _gather(self.own.mean, self.n, self.processes)

    def log_prob(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        own = self.own.log_prob(*(_cut(value, self.n, self.processes) for value in (x, mask)))
        return _gather(own, self.n, self.processes)

    @torch.no_grad()
    def sample(self) -> Tensor:
        random = _own_draws(self.processes)
        own = self.own.sample()
        _draws_of_all(random)
        return self.processes.gathered(own, self.n)


class _Gathered(torch.autograd.Function):
    r"""Own rows -> all rows.

    What all processes hold alike has the loss's true gradient on each. What each has of its own, rows and all that the
    net makes of them, has N times its gradient: so the mean over processes of a weight's gradients is the true one,
    whether the weight is used on divided rows, on whole batches or on both.
    """

    @staticmethod
    def forward(ctx: Any, own: Tensor, n: int, processes: Processes) -> Tensor:
        ctx.n, ctx.processes = n, processes
        return processes.gathered(own, n)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        own = cast(Tensor, _Own.apply(gradient, ctx.processes))  # type: ignore[no-untyped-call]
        return ctx.processes.world * own, None, None


class _Own(torch.autograd.Function):
    """All rows -> own rows; the inverse of `_Gathered`, as is its gradient: each can be derived again."""

    @staticmethod
    def forward(ctx: Any, all_: Tensor, processes: Processes) -> Tensor:
        ctx.n, ctx.processes = len(all_), processes
        start, end = processes.bounds(len(all_))
        return all_[start:end].clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        all_ = cast(Tensor, _Gathered.apply(gradient, ctx.n, ctx.processes))  # type: ignore[no-untyped-call]
        return all_ / ctx.processes.world, None


def _gather(own: Tensor, n: int, processes: Processes) -> Tensor:
    return cast(Tensor, _Gathered.apply(own, n, processes))  # type: ignore[no-untyped-call]


def _cut(value: Any, n: int, processes: Processes) -> Any:
    """Give this process's share of n rows."""
    if isinstance(value, Batch):
        # A decoder that reads the batch reads it beside each of k draws, which stand draw after draw.
        whole = value.repeated(n // len(value)) if len(value) < n else value
        return whole.span(*processes.bounds(n))
    if not isinstance(value, Tensor) or value.ndim == 0 or len(value) != n:
        return value
    if value.requires_grad:
        return _Own.apply(value, processes)  # type: ignore[no-untyped-call]
    start, end = processes.bounds(n)
    return value[start:end]


def _meet(net: nn.Module) -> bool:
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in net.modules())


def _draws(net: nn.Module) -> bool:
    """Whether a net may draw random numbers: by dropping out, or in what is neither torch's nor xhat's."""
    known = ("torch.", "xhat.")
    return any(
        isinstance(module, nn.modules.dropout._DropoutNd) or not type(module).__module__.startswith(known)
        for module in net.modules()
    )


def _own_draws(processes: Processes) -> list[Tensor]:
    """Let torch draw this process's own numbers; give the states to go back to, which all have."""
    seed = int(torch.randint(2**62, ()))
    states = [torch.get_rng_state()]
    if processes.device.type == "cuda":
        states.append(torch.cuda.get_rng_state(processes.device))
    torch.manual_seed(seed + processes.rank)
    return states


def _draws_of_all(states: list[Tensor]) -> None:
    for state, put in zip(states, (torch.set_rng_state, torch.cuda.set_rng_state), strict=False):
        put(state)
