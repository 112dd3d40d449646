"""Many trainings at once, in one program of stacked weights."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from xhat.core.schedule import Schedule
from xhat.engine import program
from xhat.engine.alike import Seen, watched
from xhat.engine.cycle import one_cycle
from xhat.engine.draws import Source, drawn
from xhat.engine.form import present
from xhat.engine.history import Epoch, History
from xhat.engine.lowered import traced
from xhat.engine.precision import computing
from xhat.engine.program import Program
from xhat.engine.randomness import epoch_order, private_randomness
from xhat.engine.stack import Fields, Place, Stack
from xhat.engine.stacked_adamw import StackedAdamW
from xhat.engine.task import Task
from xhat.engine.training import EVALUATION_BATCH, FIRST_LOOK, Status

# Numbers of a batch that are judged at once: with more models the largest batches would not fit into memory.
JUDGED = 2**24

Terms = dict[str, list[float]]


@dataclass
class Outcome:
    """How one of many trainings went.

    Parameters
    ----------
    status : str
        "running" until it ends: "finished", "stopped early" or "diverged".
    history : History
        Its epochs; their seconds are its share of the program's.
    why : str
        Of a diverged one: the term that was no longer a finite number.
    """

    status: Status = "running"
    history: History = field(default_factory=History)
    why: str = ""


class Together:
    """Train the tasks of one group, as `Training` would train each by itself.

    Rows come in each task's own order and draws from its own generators, so that the weights are those of single runs
    to rounding. One that has stopped keeps its best weights; where half of them have, the program shrinks.

    Parameters
    ----------
    tasks : sequence of Task
        Of one group.
    places : sequence of Place
        The group's.
    watch : callable, optional
        Gets each epoch's number, and how many still train.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        places: Sequence[Place] = (),
        watch: Callable[[int, int], None] | None = None,
    ) -> None:
        self.tasks, self.places, self.watch = list(tasks), list(places), watch
        settings = self.tasks[0].settings
        self.device = next(self.tasks[0].trainee.parameters()).device
        self.epochs, self.batch_size = settings.epochs or 1, settings.batch_size or 1
        self.orders = [task.order for task in self.tasks]
        self.steps = self.orders[0].steps
        self.done = 0
        self.outcomes = [Outcome() for _ in self.tasks]
        self.kept = list(range(len(self.tasks)))  # the tasks that are in the stack
        self._shared = all(task.data is self.tasks[0].data for task in self.tasks)
        self._best: dict[int, tuple[Tensor, Fields]] = {}
        self._programs: dict[tuple[int, int], Program] = {}
        self._judges: dict[tuple[int, int], Callable[..., dict[str, Tensor]]] = {}
        self._seen: dict[tuple[bool, int], Seen] = {}

    def run(self) -> list[Outcome]:
        """Train all, and put each one's best weights in place."""
        trainees, settings = [task.trainee for task in self.tasks], [task.settings for task in self.tasks]
        self.sources = [self._begun(task) for task in self.tasks]
        self.stack = Stack(trainees, self.places, self._watched(True, self.batch_size).changing)
        chosen = ([getattr(s, name) for s in settings] for name in ("lr", "weight_decay", "clip"))
        lr, decay, clip = (torch.tensor(values, dtype=torch.float64, device=self.device) for values in chosen)
        self.optimiser = StackedAdamW(self.stack.flat, lr, decay, clip)
        with computing(trainees[0].nets(), settings[0].precision):
            self._close(0, {}, time.perf_counter())
            number = 0
            while any(self.outcomes[i].status == "running" for i in self.kept):
                number, start = number + 1, time.perf_counter()
                self._close(number, self._epoch(number), start)
                self._shrink()
        for i, task in enumerate(self.tasks):
            if i in self._best:
                self.stack.unload(task.trainee, *self._best[i])
            task.trainee.eval()
        return self.outcomes

    def _begun(self, task: Task) -> Source:
        """Let a model start from data; give what its training draws from."""
        with private_randomness(task.settings.seed):
            some = epoch_order(task.train, task.settings.seed, 0)[:FIRST_LOOK]
            task.trainee.eval()
            task.trainee.begin(task.data.batch(some).to(self.device))
            return Source(self.device)

    def _epoch(self, number: int) -> Terms:
        """Go once over each one's rows; give the terms' means."""
        self.stack.code.train()
        orders = [self.orders[i].epoch(number) for i in self.kept]
        sums: dict[str, Tensor] = {}
        batches = list(self._batches(orders))
        ahead = range(self.done + 1, self.done + len(batches) + 1)
        rates = self.optimiser.rates([one_cycle(step / (self.epochs * self.steps + 1)) for step in ahead], ahead[0])
        for parts, of_step in zip(batches, rates, strict=True):
            for models, rows in parts:
                for name, mean in self._step(models, rows, of_step).items():
                    total = rows.shape[1] * mean
                    if len(models) == len(self.kept):
                        sums[name] = sums[name] + total if name in sums else total
                    else:
                        sums.setdefault(name, mean.new_zeros(len(self.kept)))[models] += total
            self.done += 1
        lengths = torch.tensor([len(order) for order in orders])
        return {name: (value.cpu() / lengths).tolist() for name, value in sums.items()}

    def _batches(self, orders: Sequence[Tensor]) -> Iterator[list[tuple[Tensor, Tensor]]]:
        """Cut each one's rows into batches; each step has one size, but for the last."""
        size, everyone = self.batch_size, torch.arange(len(orders))
        whole = min(map(len, orders)) // size * size
        if whole:
            for rows in torch.stack([order[:whole] for order in orders]).split(size, 1):
                yield [(everyone, rows)]
        rest = [order[whole:] for order in orders]
        if any(map(len, rest)):
            yield list(_of_one_size(rest))

    def _step(self, models: Tensor, rows: Tensor, rates: Sequence[Tensor]) -> dict[str, Tensor]:
        """Step some models by a batch of rows (m, B) each, at the rates of all."""
        part = len(models) < len(self.stack)
        stack = self.stack.select(models) if part else self.stack
        optimiser = self.optimiser.select(models) if part else self.optimiser
        coefficients = stack.coefficients(self.done / self.steps)
        draws = self._watched(True, rows.shape[1]).draws
        given = drawn(draws, [self.sources[self.kept[i]] for i in models.tolist()]) if draws else []
        means, held = self._program(stack, rows.shape[1])(
            stack.flat,
            optimiser.state(),
            [rate[models] if part and rate.ndim else rate for rate in rates],
            stack.still,
            coefficients,
            self._fields(models, rows),
            given,
        )
        stack.still |= held
        if part:
            self.stack.put(models, stack)
            self.optimiser.put(models, optimiser)
        return means

    def _program(self, stack: Stack, size: int) -> Program:
        key = (len(stack), size)
        if key not in self._programs:
            left = (self.epochs * self.steps - self.done) // (1 if size == self.batch_size else self.steps)
            choice, full = self.tasks[0].settings.compile, size == self.batch_size
            # Whoever wants compiled steps does not mean an epoch's last rows, at any cost.
            self._programs[key] = Program(stack, left, choice if full or choice != "on" else "auto")
        return self._programs[key]

    @torch.no_grad()
    def _judged(self) -> Terms:
        """Give the means of every term over each one's validation rows, with the same draws each time."""
        self.stack.code.eval()
        validation = [self.tasks[i].validation for i in self.kept]
        sources: list[Source] = []
        some = self.tasks[0].data.batch(validation[0][:1]).x
        most = max(JUDGED // (EVALUATION_BATCH * some.numel()), 1)
        sums: dict[str, Tensor] = {}
        for k in range(0, max(map(len, validation)), EVALUATION_BATCH):
            for all_models, all_rows in _of_one_size([rows[k : k + EVALUATION_BATCH] for rows in validation]):
                for models, rows in zip(all_models.split(most), all_rows.split(most), strict=True):
                    stack = self.stack if len(models) == len(self.stack) else self.stack.select(models)
                    draws = self._watched(False, rows.shape[1]).draws
                    if draws and not sources:
                        sources = [Source(self.device, self.tasks[i].settings.seed) for i in self.kept]
                    given = drawn(draws, [sources[i] for i in models.tolist()]) if draws else []
                    fields = self._fields(models, rows)
                    arguments = (stack.flat, stack.still, stack.coefficients(math.inf), fields, given)
                    means = self._judge(stack, rows.shape[1], arguments)(*arguments)
                    for name, mean in means.items():
                        sums.setdefault(name, mean.new_zeros(len(self.kept)))[models] += rows.shape[1] * mean
        lengths = torch.tensor([len(rows) for rows in validation])
        return {name: (value.cpu() / lengths).tolist() for name, value in sums.items()}

    def _judge(self, stack: Stack, size: int, arguments: tuple[Any, ...]) -> Callable[..., dict[str, Tensor]]:
        key = (len(stack), size)
        if key not in self._judges:
            plain = stack.means()
            self._judges[key] = traced(plain, arguments) if self.epochs >= program.TRACED else plain
        return self._judges[key]

    def _close(self, number: int, train: Terms, start: float) -> None:
        validation = self._judged()
        seconds = (time.perf_counter() - start) / len(self.kept)
        share = one_cycle(self.done / (self.epochs * self.steps + 1)) if number else 0.0
        for place, i in enumerate(self.kept):
            outcome, task = self.outcomes[i], self.tasks[i]
            if outcome.status != "running":
                continue
            learned, judged = ({name: values[place] for name, values in of.items()} for of in (train, validation))
            broken = [n for of in (learned, judged) for n, value in of.items() if not math.isfinite(value)]
            if broken:
                outcome.status, outcome.why = "diverged", f"the term '{broken[0]}' of epoch {number} is not finite"
                continue
            objective = task.trainee.objective
            score = sum(judged[name] for name in objective.monitor or tuple(validation))
            candidate = not objective.keeps_last and number >= _settled(task, self.epochs)
            epoch = Epoch(number, learned, judged, score, task.settings.lr * share, seconds, candidate)
            outcome.history.epochs.append(epoch)
            if outcome.history.best is epoch:
                held = {name: self.stack.still[name][place].clone() for name in self.stack.changing}
                self._best[i] = self.stack.flat[place].clone(), held
            if number >= self.epochs:
                outcome.status = "finished"
            elif number - outcome.history.best.epoch >= (task.settings.patience or self.epochs):
                outcome.status = "stopped early"
        if self.watch is not None:
            self.watch(number, sum(outcome.status == "running" for outcome in self.outcomes))

    def _shrink(self) -> None:
        """Leave those behind that have stopped, once they are half: a program of another size is a new one."""
        running = [place for place, i in enumerate(self.kept) if self.outcomes[i].status == "running"]
        if running and 2 * len(running) <= len(self.kept):
            models = torch.tensor(running)
            self.stack, self.optimiser = self.stack.select(models), self.optimiser.select(models)
            self.kept = [self.kept[place] for place in running]
            self._programs.clear()
            self._judges.clear()

    def _watched(self, training: bool, size: int) -> Seen:
        """See once what a step or a judgement of so many rows draws and changes."""
        key = (training, size)
        if key not in self._seen:
            task = self.tasks[0]
            trainee = copy.deepcopy(task.trainee).train(training)
            trainee.objective.epoch = 0.0
            batch = task.data.batch((task.train if training else task.validation)[:size]).to(self.device)
            self._seen[key], _ = watched(trainee, lambda: trainee(batch).means(), 0)
        return self._seen[key]

    def _fields(self, models: Tensor, rows: Tensor) -> Fields:
        """Take rows (m, B) of each one's data, as stacks."""
        if self._shared:
            batch = self.tasks[0].data.batch(rows.flatten()).to(self.device)
            return {name: getattr(batch, name).unflatten(0, rows.shape) for name in present(batch)}
        data = [self.tasks[self.kept[i]].data for i in models.tolist()]
        batches = [one.batch(of).to(self.device) for one, of in zip(data, rows, strict=True)]
        return {name: torch.stack([getattr(batch, name) for batch in batches]) for name in present(batches[0])}


def _settled(task: Task, epochs: int) -> int:
    """Give the first epoch at which all coefficients have their last values."""
    schedules = [part.epochs for part in task.trainee.objective.modules() if isinstance(part, Schedule)]
    return math.ceil(min(max(schedules, default=0), epochs))


def _of_one_size(parts: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Give models with as many rows as each other, (m,), and their rows, (m, B)."""
    sizes = [len(part) for part in parts]
    for size in sorted(set(sizes) - {0}, reverse=True):
        models = [i for i, of in enumerate(sizes) if of == size]
        yield torch.tensor(models), torch.stack([parts[i] for i in models])
