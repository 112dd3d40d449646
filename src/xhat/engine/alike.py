"""Which trainees can be trained in one program."""

from __future__ import annotations

import copy
import types
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.loss import Loss, total
from xhat.core.objective import Objective
from xhat.core.schedule import Schedule
from xhat.engine.draws import Draw, Recording, Source, drawn
from xhat.engine.labelled import Order
from xhat.engine.randomness import epoch_order, private_randomness
from xhat.engine.rows import Rows
from xhat.engine.settings import TrainSettings
from xhat.engine.stack import Place, Stack
from xhat.engine.trainee import Trainee

# Of a gradient, relative to its largest element: what vectorised sums may differ by.
CLOSE = 1e-4
INTERNAL = frozenset(vars(nn.Module()))
# What the engine tells an objective; a program asks the outermost one alone.
TOLD = ("epoch", "epochs", "rows")
ROWS: Place = ("objective", "rows")


@dataclass(frozen=True, eq=False)
class Task:
    """A training to come: what a `Training` would be given.

    Parameters
    ----------
    trainee : Trainee
        Moved in place.
    data : Rows
        The data.
    train, validation : int64 Tensor
        Which of its rows to learn from, and which to judge by.
    settings : TrainSettings
        Resolved.
    """

    trainee: Trainee
    data: Rows
    train: Tensor
    validation: Tensor
    settings: TrainSettings

    @property
    def order(self) -> Order:
        """The rows of each epoch."""
        share, batch = self.trainee.objective.labelled_share, self.settings.batch_size or 1
        return Order.of(self.train, self.data.y, share, batch, self.settings.seed)


@dataclass(frozen=True, eq=False)
class Group:
    """Tasks for one program.

    Parameters
    ----------
    members : tuple of int
        Numbers of tasks, in their order.
    places : tuple of Place
        Numbers that differ between them and are stacked as weights are.
    why_alone : str
        Of a single task: what keeps it from others; empty where there are others, or none of its form.
    """

    members: tuple[int, ...]
    places: tuple[Place, ...] = ()
    why_alone: str = ""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a step was seen to do.

    Parameters
    ----------
    draws : tuple of Draw
        Its random numbers, in order.
    changing : tuple of str
        Buffers that it changed.
    """

    draws: tuple[Draw, ...]
    changing: tuple[str, ...]


def grouped(tasks: Sequence[Task]) -> list[Group]:
    """Sort tasks by what one program can train: of one form, and proven on a batch to give the same gradients.

    Coefficients that differ are stacked where the program allows it; where it branches on one, as on a weight that may
    be 0, each value has a group of its own.
    """
    buckets: dict[Hashable, list[int]] = defaultdict(list)
    for i, task in enumerate(tasks):
        task.trainee.objective.rows, task.trainee.objective.epochs = len(task.train), task.settings.epochs or 1
        buckets[_form(task)].append(i)
    found: list[Group] = []
    for members in buckets.values():
        found += _proven(tasks, members)
    return sorted(found, key=lambda group: group.members[0])


def lonely(task: Task) -> str:
    """Say what keeps a task from any other; nothing of most."""
    if task.trainee.critic_parameters():
        return "it has a critic, a game of two optimisers"
    if getattr(task.data, "blocks", None) is not None:
        return "its rows are read from the disk while it trains"
    return "float16 scales each loss by itself" if task.settings.precision == "16" else ""


def _proven(tasks: Sequence[Task], members: list[int], split: str = "") -> list[Group]:
    if len(members) == 1:
        return [Group((members[0],), why_alone=lonely(tasks[members[0]]) or split)]
    places = differing([tasks[i].trainee for i in members])
    trial = [tasks[i] for i in members[:2]]
    why = refused(trial, places)
    if not why:
        return [Group(tuple(members), tuple(places))]
    stuck = [place for place in places if refused(trial, [place])]
    parts: dict[Hashable, list[int]] = defaultdict(list)
    for i in members:
        parts[tuple(_value(free(tasks[i].trainee)[place]) for place in stuck)].append(i)
    if len(parts) == 1:
        return [Group((i,), why_alone=why) for i in members]
    split = f"its program depends on {', '.join('.'.join(place) for place in stuck)}"
    return [group for part in parts.values() for group in _proven(tasks, part, split)]


def differing(trainees: Sequence[Trainee]) -> list[Place]:
    """List the numbers that are not the same in all of them, and all schedules: their values change as a run goes."""
    values = [free(trainee) for trainee in trainees]
    first = values[0]
    return [
        place
        for place, value in first.items()
        if any(isinstance(of[place], Schedule) or _value(of[place]) != _value(value) for of in values)
    ]


def refused(tasks: Sequence[Task], places: Sequence[Place]) -> str:
    """Try one batch of some tasks in one program and one by one; say what went wrong, or nothing."""
    singles, batches, grads, means = [], [], [], []
    seen = Seen((), ())
    try:
        for task in tasks:
            trainee = copy.deepcopy(task.trainee).train()
            trainee.objective.epoch = 0.0
            size = min(task.settings.batch_size or 1, len(task.train))
            batch = task.data.batch(epoch_order(task.train, task.settings.seed, 0)[:size])
            batch = batch.to(next(trainee.parameters()).device)
            with private_randomness(task.settings.seed):
                trainee.begin(batch)
            singles.append(copy.deepcopy(trainee))
            seen, terms = watched(trainee, partial(_means, trainee, batch), task.settings.seed)
            main = trainee.main_parameters()
            found = torch.autograd.grad(total(terms), main, allow_unused=True)
            parts = [torch.zeros_like(p) if g is None else g for p, g in zip(main, found, strict=True)]
            grads.append(torch.cat([g.reshape(-1) for g in parts]))
            means.append(terms)
            batches.append(batch)
        stack = Stack(singles, places, seen.changing)
        fields = {n: torch.stack([getattr(b, n) for b in batches]) for n in present(batches[0])}
        given = drawn(seen.draws, [Source(stack.flat.device, task.settings.seed) for task in tasks])
        together, terms, _ = stack.gradients()(stack.flat, stack.still, stack.coefficients(0.0), fields, given)
    # Whatever a part does that one program cannot: branches on numbers, kernels that know no stacks, own draws.
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return lines[0].rstrip(".")
    one_by_one = torch.stack(grads)
    scale = CLOSE * (one_by_one.abs().amax() + 1e-12)
    same = bool(((together - one_by_one).abs() <= scale).all())
    for name, value in terms.items():
        single = torch.stack([of[name].detach() for of in means])
        same &= bool(torch.allclose(value, single, rtol=CLOSE, atol=CLOSE))
    return "" if same else "one program gives other gradients than each by itself"


def watched(trainee: Trainee, step: Callable[[], Any], seed: int) -> tuple[Seen, Any]:
    """Take a step, and note its draws and which buffers it changes."""
    before = {name: buffer.clone() for name, buffer in trainee.named_buffers()}
    traits = _fixed(trainee), free(trainee)
    with private_randomness(seed), Recording() as recording:
        result = step()
    # By value: some kernels change a buffer without a trace in its version.
    changing = tuple(n for n, b in trainee.named_buffers() if not torch.equal(b.nan_to_num(), before[n].nan_to_num()))
    if (_fixed(trainee), free(trainee)) != traits:
        raise TypeError("a step changes the model's attributes")
    return Seen(tuple(recording.draws), changing), result


def _means(trainee: Trainee, batch: Batch) -> dict[str, Tensor]:
    loss: Loss = trainee(batch)
    return loss.means()


def present(batch: Batch) -> list[str]:
    """Name what a raw batch holds."""
    return [name for name in ("x", "mask", "y", "weight") if getattr(batch, name) is not None]


def free(trainee: Trainee) -> dict[Place, float | Schedule]:
    """List the numbers that may differ between trainees of one form."""
    found: dict[Place, float | Schedule] = {ROWS: trainee.objective.rows}
    for name, module in _modules(trainee):
        found |= {(name, key): value for key, value in vars(module).items() if _is_free(module, key, value)}
        found |= {(name, key): child for key, child in module._modules.items() if isinstance(child, Schedule)}
    return dict(sorted(found.items()))


def _form(task: Task) -> Hashable:
    """Give what must be equal."""
    trainee, settings, order = task.trainee, task.settings, task.order
    some = task.data.batch(task.train[:1])
    rows = tuple(
        (name, tuple(value.shape[1:]), value.dtype) for name in present(some) for value in [getattr(some, name)]
    )
    alone = id(task) if lonely(task) else None
    training = (settings.batch_size, settings.epochs, order.steps, settings.precision, settings.device, order.drawn)
    return (alone, rows, training, trainee.objective.epochs, _fixed(trainee))


def _fixed(trainee: Trainee) -> Hashable:
    tensors = [
        (name, tuple(value.shape), value.dtype, value.device, value.requires_grad)
        for name, value in [*trainee.named_parameters(), *trainee.named_buffers()]
    ]
    modules = []
    for name, module in _modules(trainee):
        kept = {key: value for key, value in vars(module).items() if key not in INTERNAL}
        told = TOLD if isinstance(module, Objective) else ()
        plain = [(k, _plain(v)) for k, v in kept.items() if k not in told and not _is_free(module, k, v)]
        # By name: a parametrised layer has a class of its own.
        modules.append((name, type(module).__module__, type(module).__qualname__, tuple(sorted(plain))))
    return (tuple(tensors), tuple(modules), tuple(free(trainee)))


def _modules(trainee: Trainee) -> list[tuple[str, nn.Module]]:
    return [(name, module) for name, module in trainee.named_modules() if not isinstance(module, Schedule)]


def _is_free(module: nn.Module, key: str, value: Any) -> bool:
    if isinstance(module, Objective):
        # A coefficient is often written as a whole number; where it counts something, the trial will tell.
        return type(value) in (int, float) and key not in (*INTERNAL, *TOLD)
    return type(value) is float and key not in INTERNAL


def _value(number: float | Schedule) -> Hashable:
    return (
        repr(number) if isinstance(number, int | float) else (type(number).__name__, *map(str, vars(number).values()))
    )


def _plain(value: Any) -> str:
    """Write an attribute so that equal ones are written alike; what is of no known kind is equal to itself alone."""
    if isinstance(value, bool | int | float | str | bytes | torch.dtype | torch.device | type | None):
        return repr(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_plain(item)}' for key, item in value.items())}}}"
    if isinstance(value, types.MethodType):
        return f"{type(value.__self__).__name__}.{value.__name__}"
    kind = type(value)
    own = kind.__module__.startswith("xhat.") and hasattr(value, "__dict__")
    return f"{kind.__qualname__} {_plain(vars(value)) if own else id(value)}"
