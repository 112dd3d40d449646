"""The form of a training: what must be equal for one program to train two of them, and what may differ."""

from __future__ import annotations

import types
from collections.abc import Hashable
from typing import Any

import torch
from torch import nn

from xhat.core.batch import Batch
from xhat.core.objective import Objective
from xhat.core.schedule import Schedule
from xhat.engine.stack import Place
from xhat.engine.task import Task
from xhat.engine.trainee import Trainee

INTERNAL = frozenset(vars(nn.Module()))
# What the engine tells an objective; a program asks the outermost one alone.
TOLD = ("epoch", "epochs", "rows")
ROWS: Place = ("objective", "rows")
# What of training must agree, in the order of a form.
AGREEING = (
    "batch size",
    "number of epochs",
    "number of steps an epoch",
    "precision",
    "way to compile",
    "device",
    "share of labelled rows",
)


def lonely(task: Task) -> str:
    """Say what keeps a task from any other; nothing of most."""
    if task.trainee.critic_parameters():
        return "it has a critic, a game of two optimisers"
    if getattr(task.data, "blocks", None) is not None:
        return "its rows are read from the disk while it trains"
    if task.data.batch(task.train[:1]).weight is not None:
        return "its rows have weights"
    if task.settings.accumulate > 1 or task.settings.gradient_checkpointing:
        return "it saves memory, which many at once would not"
    return "float16 scales each loss by itself" if task.settings.precision == "16" else ""


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


def form_of(task: Task) -> Hashable:
    """Give what must be equal for one program to train two tasks."""
    trainee, settings, order = task.trainee, task.settings, task.order
    some = task.data.batch(task.train[:1])
    rows = tuple(
        (name, tuple(value.shape[1:]), value.dtype) for name in present(some) for value in [getattr(some, name)]
    )
    alone = id(task) if lonely(task) else None
    how = (settings.precision, settings.compile, settings.device)
    training = (settings.batch_size, settings.epochs, order.steps, *how, order.drawn)
    return (alone, rows, training, trainee.objective.epochs, fixed(trainee))


def difference(form: Any, usual: Any) -> str:
    """Say what tells a form from the most frequent one."""
    (_, rows, training, *_, fixed), (_, other_rows, other_training, *_, other) = form, usual
    for name, ours, theirs in zip(AGREEING, training, other_training, strict=True):
        if ours != theirs:
            return f"its {name} is {ours}, not {theirs}"
    if rows != other_rows:
        return "its rows are of another kind"
    shapes = {name: shape for name, shape, *_ in other[0]}
    for name, shape, *_ in fixed[0]:
        if shape != shapes.get(name, shape):
            return f"its {name} is of shape {shape}, not {shapes[name]}"
    return "its parts are others"


def fixed(trainee: Trainee) -> Hashable:
    """List all that a trainee is made of but its numbers: tensors' shapes, modules, their other attributes."""
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


def value_of(number: float | Schedule) -> Hashable:
    """Give what tells a number, or a schedule, from another."""
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
