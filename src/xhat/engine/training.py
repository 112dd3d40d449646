"""The training loop: it asks a trainee for losses and steps, and can be stopped and continued at any step."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import DataError, TrainingError, require
from xhat.core.schedule import Schedule
from xhat.engine.accumulating import refuse_what_is_not_of_rows
from xhat.engine.apart import Apart, habits_of_rows
from xhat.engine.divided import Division, divided
from xhat.engine.history import Epoch, History
from xhat.engine.hook import Hook
from xhat.engine.interrupt import Interrupt
from xhat.engine.kept_memory import kept_memory
from xhat.engine.labelled import Order
from xhat.engine.pace import Pace
from xhat.engine.precision import computing
from xhat.engine.processes import ALONE, Processes
from xhat.engine.randomness import generators, private_randomness, set_generators
from xhat.engine.ready import ready_batches
from xhat.engine.recomputing import recomputing
from xhat.engine.rows import Rows
from xhat.engine.settings import TrainSettings
from xhat.engine.sharding import sharded, whole
from xhat.engine.step import Step
from xhat.engine.sums import Sums
from xhat.engine.threads import worthwhile_threads
from xhat.engine.trainee import Trainee

Status = Literal["running", "finished", "stopped early", "interrupted", "diverged"]

EVALUATION_BATCH = 1024
LOOK_EVERY = 100
# Rows that codebooks, mixtures and the like may start from.
FIRST_LOOK = 2048


class Training:
    """One run, from its first step to its best weights.

    Parameters
    ----------
    trainee : Trainee
        Moved in place; at the end it holds the weights that were best on validation.
    data : Rows
        The data.
    train, validation : int64 Tensor
        Which of its rows to learn from, and which to judge by.
    settings : TrainSettings
        How; what is left open is resolved for this many training rows.
    hooks : sequence of Hook
        Who watches; of several processes the first one's, and those that are to be `everywhere`.
    processes : Processes, optional
        Who trains together; alone by default.
    """

    def __init__(
        self,
        trainee: Trainee,
        data: Rows,
        train: Tensor,
        validation: Tensor,
        settings: TrainSettings,
        hooks: Sequence[Hook] = (),
        processes: Processes = ALONE,
    ) -> None:
        settings = settings.resolved(len(train))
        self.trainee, self.data, self.settings = trainee, data, settings
        self.processes, self.hooks = processes, [hook for hook in hooks if processes.is_first or hook.everywhere]
        self.train_rows, self.validation_rows = train, validation
        self.device = next(trainee.parameters()).device
        self.epochs, self.batch_size = settings.epochs or 1, settings.batch_size or 1
        blocks = getattr(data, "blocks", None)  # of data that is streamed
        self.order = Order.of(train, data.y, trainee.objective.labelled_share, self.batch_size, settings.seed, blocks)
        self.steps_per_epoch = self.order.steps
        trainee.objective.rows, trainee.objective.epochs = len(train), self.epochs
        # While a coefficient is on its way, what is minimised is not yet what was asked for.
        schedules = [part.epochs for part in trainee.objective.modules() if isinstance(part, Schedule)]
        self.settled = min(max(schedules, default=0), self.epochs)
        rule, hint = f"processes divide the {self.batch_size} rows of a batch", "start fewer, or raise --batch-size"
        require(processes.world <= self.batch_size, "processes", rule, processes.world, hint)
        self.step = Step(trainee, settings, self.epochs * self.steps_per_epoch)
        self.step.processes = processes
        streams = bool(getattr(data, "streams", False))
        self.pace = Pace.of(self.step, settings, self.steps_per_epoch, streams=streams, world=processes.world)
        self.history = History()
        self.status: Status = "running"
        self.best: dict[str, Tensor] = {}
        self._sums, self._seconds = Sums(), 0.0  # of the epoch in hand; seconds in earlier processes
        self._random: list[Tensor] | None = None  # the generators' states between two runs

    @property
    def epoch(self) -> int:
        """The epoch in hand, from 1."""
        return self.step.done // self.steps_per_epoch + 1

    def run(self) -> Status:
        """Train until the end, an early stop or Ctrl-C, and put the best weights in place.

        Raises
        ------
        TrainingError
            When a term is no longer a finite number; the best weights so far are then in place.
        """
        with kept_memory(), private_randomness(self.settings.seed), Interrupt() as interrupt:
            self.step.begin()
            if self._random is not None:
                set_generators(self._random, self.device)
                self._random = None
            some = self._some(self.batch_size)
            with self._nets_as_set():
                refuse_what_is_not_of_rows(self.trainee, some, self.settings.accumulate)
                self.processes.align(self.trainee)
                if not self.history.epochs:
                    self._begin()
            habits = habits_of_rows(self.trainee, some, self.processes)
            with sharded(self.step, self.settings.fsdp) as shards, self._nets_as_set() as division:
                self.step.apart = None if habits is None else Apart(self.processes, division, habits)
                if shards is not None:
                    shards.attempt(some)
                self._watched(interrupt)
        return self.status

    @contextmanager
    def _nets_as_set(self) -> Iterator[Division]:
        """Let the nets compute as the settings say, and on this process's rows."""
        nets = self.trainee.nets()
        with (
            computing(nets, self.settings.precision),
            recomputing(nets, self.settings.gradient_checkpointing),
            divided(self.trainee.model, self.trainee.objective, self.processes) as division,
        ):
            yield division

    def _watched(self, interrupt: Interrupt) -> None:
        for hook in self.hooks:
            hook.on_start(self)
        try:
            with worthwhile_threads(self.trainee, self._some(self.batch_size), self.processes.world):
                self._run(interrupt)
        except TrainingError:
            self.status = "diverged"
            raise
        finally:
            with ExitStack() as stop:  # each of these happens, whatever another one raises
                stop.callback(self._settle)
                for hook in reversed(self.hooks):
                    stop.callback(hook.on_stop, self)

    def _settle(self) -> None:
        self._random = generators(self.device)
        self.pace.release()
        if self.status != "interrupted" and self.best:
            (self.step.shards or self.trainee).load_state_dict(self.best)
        self.trainee.eval()

    def _run(self, interrupt: Interrupt) -> None:
        if not self.history.epochs:
            self._close_epoch(0, {}, time.perf_counter())  # What stands before training is a candidate, too.
        while self.status == "running":
            number, start = self.epoch, time.perf_counter()
            first = self.step.done % self.steps_per_epoch
            self.trainee.train()
            looked = self.step.done
            for means, mass in self.pace.over(self.data, self.order.epoch(number), first, self.device):
                self._sums.add(means, mass)
                for hook in self.hooks:
                    hook.on_step(self)
                asked = self.step.stops(interrupt.asked)
                if asked and self.step.done % self.steps_per_epoch:
                    self._seconds += time.perf_counter() - start
                    self.status = "interrupted"
                    return
                if self.step.done - looked >= LOOK_EVERY:
                    looked = self.step.done
                    self._means(number)
            self._close_epoch(number, self._means(number), start)
            self._decide(number)
            if self.processes.any(interrupt.asked) and self.status == "running":
                self.status = "interrupted"

    def _begin(self) -> None:
        self.trainee.eval()
        self.trainee.begin(self._some(FIRST_LOOK))
        self.processes.align(self.trainee)

    def _some(self, rows: int) -> Batch:
        """Give some rows to learn from, raw."""
        return self.data.batch(self.order.once(self.train_rows, 0)[:rows]).to(self.device)

    def _means(self, number: int) -> dict[str, float]:
        means = self._sums.means()
        self._refuse_infinite(number, "training", means)
        return means

    def _close_epoch(self, number: int, means: dict[str, float], start: float) -> None:
        validation = evaluate(self.trainee, self.data, self.validation_rows, self.settings.seed)
        validation = self.processes.agreed(validation)
        self._refuse_infinite(number, "validation", validation)
        monitored = self.trainee.objective.monitor or tuple(validation)
        epoch = Epoch(
            epoch=number,
            train=means,
            validation=validation,
            score=sum(validation[name] for name in monitored),
            lr=float(self.step.optimiser.param_groups[0]["lr"]) if number else 0.0,
            seconds=self._seconds + time.perf_counter() - start,
            candidate=not self.trainee.objective.keeps_last and number >= self.settled,
        )
        self.history.epochs.append(epoch)
        self._sums, self._seconds = Sums(), 0.0
        if self.history.best is epoch:
            self.best = {name: value.detach().clone() for name, value in self.trainee.state_dict().items()}
        for hook in self.hooks:
            hook.on_epoch(self, epoch)

    def _decide(self, number: int) -> None:
        if number >= self.epochs:
            self.status = "finished"
        elif number - self.history.best.epoch >= (self.settings.patience or self.epochs):
            self.status = "stopped early"

    def _refuse_infinite(self, number: int, part: str, means: dict[str, float]) -> None:
        for name, mean in means.items():
            if not math.isfinite(mean):
                raise TrainingError(
                    f"epoch {number}",
                    f"the {part} term '{name}' must stay finite",
                    mean,
                    f"try --lr {self.settings.lr / 10:g}, or --scale standard if the data's columns differ in size",
                )

    def state(self) -> dict[str, Any]:
        """Give everything that is needed to continue exactly.

        All processes must call this where they divide weights.
        """
        state = {
            "trainee": self.trainee.state_dict(),
            "best": self.best,
            "step": self.step.state(),
            "history": self.history.to_list(),
            "sums": self._sums.state(),
            "rows": self._sums.mass,
            "seconds": self._seconds,
            "random": generators(self.device) if self._random is None else self._random,
            "status": self.status,
            "many": self.pace.many,
            "tail": self.pace.tail,
        }
        return whole(state, keep=self.processes.is_first) if self.settings.fsdp else state

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.trainee.load_state_dict(state["trainee"])
        self.best = state["best"]
        self.step.restore(state["step"])
        self.history = History.from_list(state["history"])
        self._sums, self._seconds = Sums(), state["seconds"]
        self._sums.restore({name: value.to(self.device) for name, value in state["sums"].items()}, state["rows"])
        self._random = state["random"]
        # As it was decided: the other way rounds otherwise.
        self.pace.many, self.pace.tail = state.get("many", 0), state.get("tail", False)
        self.status = "running" if state["status"] == "interrupted" else state["status"]


@torch.no_grad()
def evaluate(trainee: Trainee, data: Rows, rows: Tensor, seed: int) -> dict[str, float]:
    """Give the mean of every term over `rows`, in evaluation mode, with the same draws each time.

    Parameters
    ----------
    trainee : Trainee
        Left in the mode that it was in.
    data : Rows
        The data.
    rows : int64 Tensor
        Which rows.
    seed : int
        Of the draws.
    """
    training, device = trainee.training, next(trainee.parameters()).device
    trainee.eval()
    sums = Sums()
    with private_randomness(seed):
        for batch, mass in ready_batches(trainee, data, rows, EVALUATION_BATCH, 0, device):
            sums.add(trainee.loss(batch).means(), mass)
    trainee.train(training)
    hint = "give some of the rows to judge by a weight above 0"
    require(sums.mass > 0, "evaluate", "rows must not all have a weight of 0", hint=hint, error=DataError)
    return sums.means()
