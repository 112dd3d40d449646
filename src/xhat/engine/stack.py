"""Many trainees of one form as one function of stacked weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value, vmap

from xhat.core.batch import Batch
from xhat.core.loss import total
from xhat.core.schedule import Schedule
from xhat.engine.draws import Replaying
from xhat.engine.trainee import Trainee

Place = tuple[str, str]
"""A number that differs between trainees: the name of its module, and of its attribute."""

Fields = dict[str, Tensor]
"""What a batch holds, each field (M, B, ...)."""


class Stack:
    """The weights, buffers and coefficients of M trainees, and their losses by one program.

    Parameters
    ----------
    trainees : sequence of Trainee
        Of one form; the first one's code runs for all.
    places : sequence of Place
        Numbers and schedules that differ.
    changing : sequence of str
        Buffers that a step changes.
    """

    def __init__(self, trainees: Sequence[Trainee], places: Sequence[Place] = (), changing: Sequence[str] = ()) -> None:
        self.trainees, self.places, self.changing = list(trainees), list(places), list(changing)
        self.code = self.trainees[0]  # its mode, training or evaluation, is that of all
        named = [dict(trainee.named_parameters()) for trainee in trainees]
        self.names = [name for name, p in named[0].items() if p.requires_grad]
        self.shapes = [named[0][name].shape for name in self.names]
        self.sizes = [shape.numel() for shape in self.shapes]
        # One matrix, (M, P): the optimiser's work is then a few passes over it, however many tensors there are.
        self.flat = torch.stack([torch.cat([of[n].detach().reshape(-1) for n in self.names]) for of in named])
        held = [of | dict(trainee.named_buffers()) for of, trainee in zip(named, trainees, strict=True)]
        self.still = {n: torch.stack([of[n].detach() for of in held]) for n in held[0] if n not in self.names}
        self._numbers = [[_standing(trainee, place) for trainee in trainees] for place in places]
        self._scheduled = any(isinstance(value, Schedule) for values in self._numbers for value in values)
        self._steady: list[Tensor] | None = None  # what does not change needs to be made once

    def __len__(self) -> int:
        return len(self.trainees)

    def coefficients(self, epoch: float) -> list[Tensor]:
        """Give the numbers that differ, (M,) each, after so many epochs; infinity asks for their last values."""
        if self._steady is None or self._scheduled:
            # In double, as numbers are in code: what a part makes of one is rounded where a number's would be.
            dtype = self.flat.dtype if self.flat.device.type == "mps" else torch.float64
            self._steady = [
                self.flat.new_tensor([v.value(epoch) if isinstance(v, Schedule) else v for v in values], dtype=dtype)
                for values in self._numbers
            ]
        return self._steady

    def gradients(self) -> Callable[..., tuple[Tensor, dict[str, Tensor], Fields]]:
        """Make the function that gives gradients (M, P), the terms' means (M,), and what became of the buffers.

        Its arguments: weights (M, P), buffers, coefficients, a batch's fields and random draws, each stacked.
        """
        one = grad_and_value(self._loss, has_aux=True)

        def gradients(flat: Tensor, *rest: Any) -> tuple[Tensor, dict[str, Tensor], Fields]:
            grads, (_, (means, held)) = vmap(one)(self._parted(flat), *rest)
            return torch.cat([grads[name].reshape(len(flat), -1) for name in self.names], 1), means, held

        return gradients

    def means(self) -> Callable[..., dict[str, Tensor]]:
        """Make the function that gives the terms' means (M,) of the same arguments, without gradients."""

        def means(flat: Tensor, *rest: Any) -> dict[str, Tensor]:
            found: dict[str, Tensor] = vmap(self._loss)(self._parted(flat), *rest)[1][0]
            return found

        return means

    def select(self, models: Tensor) -> Stack:
        """Keep some models, copied."""
        stack, chosen = copy.copy(self), models.tolist()
        stack.trainees = [self.trainees[i] for i in chosen]
        stack.flat, stack.still = self.flat[models], {name: value[models] for name, value in self.still.items()}
        stack._numbers, stack._steady = [[values[i] for i in chosen] for values in self._numbers], None
        return stack

    def put(self, models: Tensor, part: Stack) -> None:
        """Take over what `part`, of some of the models, has become."""
        self.flat[models] = part.flat
        for name in self.changing:
            self.still[name][models] = part.still[name]

    @torch.no_grad()
    def unload(self, trainee: Trainee, weights: Tensor, held: Mapping[str, Tensor]) -> None:
        """Write weights (P,), and the buffers that steps change, into a trainee."""
        parameters, buffers = dict(trainee.named_parameters()), dict(trainee.named_buffers())
        for name, shape, part in zip(self.names, self.shapes, weights.split(self.sizes), strict=True):
            parameters[name].copy_(part.view(shape))
        for name in self.changing:
            buffers[name].copy_(held[name])

    def _parted(self, flat: Tensor) -> dict[str, Tensor]:
        parts = zip(self.names, self.shapes, flat.split(self.sizes, 1), strict=True)
        return {name: part.reshape(len(flat), *shape) for name, shape, part in parts}

    def _loss(
        self, weights: Fields, still: Fields, coefficients: list[Tensor], fields: Fields, drawn: list[Tensor]
    ) -> tuple[Tensor, tuple[dict[str, Tensor], Fields]]:
        trainee = self.code
        # A step may change buffers in place, which a gradient does not allow of what it was given.
        held = {name: value.clone() if name in self.changing else value for name, value in still.items()} | weights
        with standing_in(trainee, dict(zip(self.places, coefficients, strict=True))), Replaying(drawn):
            means = functional_call(trainee, held, (Batch(**fields),)).means()
        return total(means), (means, {name: held[name] for name in self.changing})


def _standing(trainee: Trainee, place: Place) -> float | Schedule:
    """Read what stands at a place."""
    module, attribute = place
    value: float | Schedule = getattr(trainee.get_submodule(module), attribute)
    return value


@contextmanager
def standing_in(trainee: Trainee, values: Mapping[Place, Tensor]) -> Iterator[None]:
    """Let tensors stand where numbers or schedules do, and keep how far the run is from whoever would read it.

    A program is the same in each epoch. What reads the epoch in other ways than by a coefficient fails at once.
    """
    before = []
    for (module, attribute), value in [*values.items(), (("objective", "epoch"), None)]:
        own = vars(trainee.get_submodule(module))  # ahead of a schedule, which is a submodule and no attribute
        before.append((own, attribute, own.get(attribute), attribute in own))
        own[attribute] = value
    try:
        yield
    finally:
        for own, attribute, value, was in reversed(before):
            if was:
                own[attribute] = value
            else:
                del own[attribute]
