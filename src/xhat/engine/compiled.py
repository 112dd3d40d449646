"""Whole steps as one program: forward, backward, clipping and AdamW, several steps a call where they are short."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from xhat.core.batch import Batch
from xhat.core.errors import TrainingError
from xhat.core.loss import total
from xhat.engine.lowered import lowered, traced
from xhat.engine.randomness import untouched_randomness
from xhat.engine.spike_clip import MEMORY
from xhat.engine.step import Step
from xhat.engine.trainee import Trainee
from xhat.engine.twin import twin_of


class Compiled:
    """The steps of a `Step`, several a call, to the same results but for rounding.

    While it is used, weights and the optimiser's moments are views of three vectors: clipping and AdamW are then one
    pass each, however many tensors there are. `release` gives every tensor memory of its own again.

    Parameters
    ----------
    step : Step
        Whose steps they are; it can take others itself in between.
    block : Batch
        The rows of one call, scaled: what the first program is made for.
    sizes : sequence of int
        How many rows each of its steps has.

    Raises
    ------
    TrainingError
        When the steps cannot be one program, which the line explains, or no compiler is there.
    """

    def __init__(self, step: Step, block: Batch, sizes: Sequence[int]) -> None:
        self.step = step
        self._net = _Terms(step.trainee)
        used = _used(step, block, sizes[0])
        self._weights = {n: p for n, p in self._net.named_parameters() if id(p) in used}
        self._flat = self._gather()
        self._made: dict[int, _Made] = {}  # by the rows of a call
        try:
            self.make(block, sizes)
        except BaseException:
            self.release()
            raise

    def __call__(self, block: Batch) -> dict[str, Tensor]:
        """Take the steps of a block that a program is made for; give each term's mean over its rows."""
        made = self._made[len(block)]
        with torch.no_grad():
            knobs = self._knobs(made.steps)
            means, length = made.program(*self._flat, self._length(), knobs, *_fields(block).values())
        self.step.clip.mean = length
        # Steps that are taken one by one in between may let parameters share a count.
        torch._foreach_add_(list({id(count): count for count in self._counts()}.values()), made.steps)
        self.step.done += made.steps
        return dict(zip(self._names, means.unbind(), strict=True))

    def make(self, block: Batch, sizes: Sequence[int]) -> None:
        """Make a program for blocks like this one, of steps of so many rows each."""
        shapes = _fields(block)
        try:
            with untouched_randomness(self._flat[0].device), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's, of its own insides
                copies = [*(f.clone() for f in self._flat), self._length()]
                given = [*copies, self._knobs(len(sizes)), *shapes.values()]
                program = lowered(traced(partial(self._steps, tuple(shapes), sizes), given), given)
                program(*given)
        # Whatever a part does that one program cannot, and whatever a compiler lacks: steps go on without it.
        except Exception as error:
            raise TrainingError("compile", _line(error)) from error
        self._made[len(block)] = _Made(program, {n: v.shape for n, v in shapes.items()}, len(sizes))

    def knows(self, block: Batch) -> bool:
        """Whether there is a program for so many rows."""
        return len(block) in self._made

    def fits(self, block: Batch) -> bool:
        """Whether a program is made for such a block."""
        made = self._made.get(len(block))
        return made is not None and made.shapes == {n: v.shape for n, v in _fields(block).items()}

    def release(self) -> None:
        """Give weights and moments memory of their own: files want every tensor apart."""
        self.step.optimiser.forget()
        for parameter in self._weights.values():
            state = self.step.optimiser.state[parameter]
            parameter.data = parameter.data.clone()
            state["exp_avg"], state["exp_avg_sq"] = state["exp_avg"].clone(), state["exp_avg_sq"].clone()

    @torch.no_grad()
    def _gather(self) -> list[Tensor]:
        """Lay weights and moments out as three vectors, and let all who hold them see these."""
        optimiser, parameters = self.step.optimiser, list(self._weights.values())
        optimiser.forget()
        if len({float(optimiser.state[p]["step"]) if optimiser.state[p] else 0.0 for p in parameters}) > 1:
            raise TrainingError("compile", "weights that were not moved equally often are stepped as they are")
        optimiser.begin(parameters)
        moments = ([optimiser.state[p][name] for p in parameters] for name in ("exp_avg", "exp_avg_sq"))
        flat = [torch.cat([t.reshape(-1) for t in tensors]) for tensors in (parameters, *moments)]
        sizes = _sizes(parameters)
        parts = ([part.view(p.shape) for part, p in zip(f.split(sizes), parameters, strict=True)] for f in flat)
        for p, weights, mean, square in zip(parameters, *parts, strict=True):
            p.data = weights
            optimiser.state[p] |= {"exp_avg": mean, "exp_avg_sq": square}
        return flat

    def _counts(self) -> list[Tensor]:
        return [self.step.optimiser.state[p]["step"] for p in self._weights.values()]

    def _length(self) -> Tensor:
        mean = self.step.clip.mean
        return self._flat[0].new_full((), math.nan) if mean is None else mean

    def _knobs(self, steps: int) -> Tensor:
        """What each step multiplies by: 1 - ηλ, η / (1 - β₁ᵗ) and 1 / √(1 - β₂ᵗ), (steps, 3)."""
        group, t = self.step.optimiser.param_groups[0], float(self._counts()[0])
        first, second = group["betas"]
        rows = []
        for i in range(steps):
            eta = self.step.rate(i)
            group["lr"] = eta
            corrected = eta / (1 - first ** (t + i + 1)), 1 / math.sqrt(1 - second ** (t + i + 1))
            rows.append((1 - eta * group["weight_decay"], *corrected))
        return self._flat[0].new_tensor(rows)

    def _steps(
        self,
        names: Sequence[str],
        sizes: Sequence[int],
        theta: Tensor,
        m: Tensor,
        v: Tensor,
        length: Tensor,
        knobs: Tensor,
        *given: Tensor,
    ) -> Any:
        group, factor = self.step.optimiser.param_groups[0], self.step.clip.factor
        (first, second), epsilon = group["betas"], group["eps"]
        start, terms = (theta, m, v), []
        for i, batch in enumerate(zip(*(field.split(list(sizes)) for field in given), strict=True)):
            g, means = self._gradient(theta, dict(zip(names, batch, strict=True)))
            if factor:
                now = torch.linalg.vector_norm(g)
                limit = factor * torch.where(length > 0, length, now)  # nan is none yet
                g = g * (limit / (now + 1e-12)).clamp(max=1.0)
                length = torch.lerp(torch.minimum(now, limit), torch.where(length >= 0, length, now), MEMORY)
            keep, rate, root = knobs[i].unbind()
            m = torch.lerp(m, g, 1 - first)
            v = v * second + g * g * (1 - second)
            theta = theta * keep - rate * m / (v.sqrt() * root + epsilon)
            terms.append(sizes[i] / sum(sizes) * torch.stack(list(means.values())))
        for before, after in zip(start, (theta, m, v), strict=True):
            before.copy_(after)
        self._names = tuple(means)
        return torch.stack(terms).sum(0), length

    def _gradient(self, theta: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        def loss(weights: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            means: dict[str, Tensor] = functional_call(self._net, weights, (batch,))
            return total(means), means

        parts = theta.split(_sizes(list(self._weights.values())))
        weights = {n: part.view(p.shape) for (n, p), part in zip(self._weights.items(), parts, strict=True)}
        with _without_epoch(self.step.trainee):
            grads, (_, means) = grad_and_value(loss, has_aux=True)(weights)
        return torch.cat([grads[n].reshape(-1) for n in weights]), means


@dataclass(frozen=True)
class _Made:
    """A program, the shapes of what it is called with, and how many steps it takes."""

    program: Callable[..., Any]
    shapes: dict[str, torch.Size]
    steps: int


class _Terms(nn.Module):
    """A trainee as a function of a scaled batch's fields to its terms' means."""

    def __init__(self, trainee: Trainee) -> None:
        super().__init__()
        self.trainee = trainee

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self.trainee.loss(Batch(**batch)).means()


def _fields(batch: Batch) -> dict[str, Tensor]:
    return {f.name: v for f in fields(batch) if (v := getattr(batch, f.name)) is not None}


def _sizes(parameters: list[nn.Parameter]) -> list[int]:
    return [p.numel() for p in parameters]


def _used(step: Step, block: Batch, size: int) -> set[int]:
    """Find the parameters that get a gradient, and refuse what changes anything but these in a step."""
    if block.weight is not None:
        raise TrainingError("compile", "rows with weights are stepped as they are")
    if len({(p.dtype, p.device) for p in step.main}) > 1:
        raise TrainingError("compile", "needs weights of one type, on one device")
    with twin_of(step.trainee, step.main[0].device) as twin:
        if twin is None:
            raise TrainingError("compile", "a model that cannot be copied is stepped as it is")
        before = _traits(twin)
        total(twin.loss(Batch(**{n: v[:size] for n, v in _fields(block).items()})).means()).backward()
    if _traits(twin) != before:
        raise TrainingError("compile", "a part counts or keeps running means, which one program cannot")
    main = {id(p) for p in step.main}
    pairs = zip(step.trainee.parameters(), twin.parameters(), strict=True)
    return {id(p) for p, q in pairs if q.grad is not None and id(p) in main}


def _traits(trainee: Trainee) -> list[Any]:
    plain = (bool, int, float, str, type(None))
    own = [{k: v for k, v in vars(m).items() if isinstance(v, plain)} for m in trainee.modules()]
    return [own, [(id(b), b._version) for b in trainee.buffers()]]


@contextmanager
def _without_epoch(trainee: Trainee) -> Iterator[None]:
    """Keep how far the run is from whoever reads it: a program is the same in each epoch. Who does fails at once."""
    own = vars(trainee.objective)
    epoch = own.pop("epoch", 0.0)
    own["epoch"] = None
    try:
        yield
    finally:
        own["epoch"] = epoch


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
