"""Which trainings can be one program."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.loss import Loss, total
from xhat.core.schedule import Schedule
from xhat.engine.draws import Draw, Recording, Source, drawn
from xhat.engine.form import difference, fixed, form_of, free, lonely, present, value_of
from xhat.engine.randomness import epoch_order, private_randomness
from xhat.engine.stack import Place, Stack
from xhat.engine.task import Task
from xhat.engine.trainee import Trainee

# Of a gradient, relative to its largest element: what vectorised sums may differ by.
CLOSE = 1e-4


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
        buckets[form_of(task)].append(i)
    found: list[Group] = []
    usual = max(buckets, key=lambda form: len(buckets[form]), default=None)
    for form, members in buckets.items():
        found += _proven(tasks, members, "" if form == usual else difference(form, usual))
    return sorted(found, key=lambda group: group.members[0])


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
        parts[tuple(value_of(free(tasks[i].trainee)[place]) for place in stuck)].append(i)
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
        if any(isinstance(of[place], Schedule) or value_of(of[place]) != value_of(value) for of in values)
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
    traits = fixed(trainee), free(trainee)
    with private_randomness(seed), Recording() as recording:
        result = step()
    # By value: some kernels change a buffer without a trace in its version.
    changing = tuple(n for n, b in trainee.named_buffers() if not torch.equal(b.nan_to_num(), before[n].nan_to_num()))
    if (fixed(trainee), free(trainee)) != traits:
        raise TypeError("a step changes the model's attributes")
    return Seen(tuple(recording.draws), changing), result


def _means(trainee: Trainee, batch: Batch) -> dict[str, Tensor]:
    loss: Loss = trainee(batch)
    return loss.means()
