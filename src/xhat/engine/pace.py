"""How a run's steps are taken: one by one, or many a call by one program."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import TrainingError
from xhat.engine.compiling import Decision
from xhat.engine.ready import cut, ready_batches
from xhat.engine.rows import Rows
from xhat.engine.settings import TrainSettings
from xhat.engine.step import Step

if TYPE_CHECKING:
    from xhat.engine.compiled import Compiled


class Pace:
    """Takes steps over rows.

    Parameters
    ----------
    step : Step
        What a step is.
    size : int
        Of a batch.
    steps_per_epoch : int
        By which the objective is told how far the run is.
    many : int, default=0
        Steps a call of one program; 0 takes them one by one.
    tail : bool, default=False
        Whether what is left of an epoch after whole calls is a program, too.
    """

    def __init__(self, step: Step, size: int, steps_per_epoch: int, many: int = 0, *, tail: bool = False) -> None:
        self.step, self.size, self.steps_per_epoch, self.many, self.tail = step, size, steps_per_epoch, many, tail
        self._program: Compiled | None = None

    @classmethod
    def of(cls, step: Step, settings: TrainSettings, steps_per_epoch: int, *, streams: bool, world: int) -> Pace:
        """Decide whether the steps of a run are compiled; see `Decision`."""
        decision = Decision.of(step.trainee, settings, steps_per_epoch, streams=streams, world=world)
        if settings.compile == "on" and not decision.many:
            _warn(decision.why)
        return cls(step, settings.batch_size or 1, steps_per_epoch, decision.many, tail=decision.tail)

    def over(
        self, data: Rows, rows: Tensor, first: int, device: torch.device
    ) -> Iterator[tuple[dict[str, Tensor], float]]:
        """Step over an epoch's rows from its batch number `first` on; give each call's means, with their mass."""
        many = max(self.many, 1)
        skipped = first % many
        for group, mass in ready_batches(self.step.trainee, data, rows, self.size * many, first // many, device):
            self._tell()
            if self.many and not skipped and self._made(group):
                yield self._program(group), mass  # type: ignore[misc]
                continue
            # What is left of an epoch, and whatever a program is not made for.
            batches = list(cut(group, self.size)) if many > 1 else [group]
            for batch in islice(batches, skipped, None):
                self._tell()
                yield self.step.take(batch), mass if many == 1 else batch.mass
            skipped = 0

    def release(self) -> None:
        """Give weights memory of their own again."""
        if self._program is not None:
            self._program.release()
            self._program = None

    def _tell(self) -> None:
        # Past nn.Module's way to set an attribute, which takes as long as an operation of a small net.
        vars(self.step.trainee.objective)["epoch"] = self.step.done / self.steps_per_epoch

    def _made(self, group: Batch) -> bool:
        """Whether a program takes this group; the first one of its size makes it."""
        if self.step.processes.world > 1:  # a run that goes on in several; a program cannot talk to the others
            return False
        full, rest = divmod(len(group), self.size)
        if (full, rest) != (self.many, 0) and not self.tail:
            return False
        sizes = [self.size] * full + [rest] * (rest > 0)
        try:
            if self._program is None:
                from xhat.engine.compiled import Compiled  # torch's tracer takes a second to import

                self._program = Compiled(self.step, group, sizes)
            elif not self._program.knows(group):
                self._program.make(group, sizes)
        except TrainingError as error:
            self.many, self.tail = 0, False
            _warn(error.rule)
            return False
        return self._program.fits(group)


def _warn(why: str) -> None:
    text = f"the steps are not compiled, and training goes on as it is: {why}"
    warnings.warn(text, RuntimeWarning, stacklevel=3)
