"""Progress: a live bar on a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from xhat.engine.collapse import collapses
from xhat.engine.history import Epoch
from xhat.engine.hook import Hook
from xhat.engine.training import Training


class ProgressBar(Hook):
    """Shows how far a run is.

    Parameters
    ----------
    console : Console, optional
        Where to show it; standard error by default, so that results can be piped.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def on_start(self, training: Training) -> None:
        """Put the bar up, on a terminal."""
        if not self.console.is_terminal:
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self.console)
        self._task = self._bar.add_task("fit", total=training.step.total, completed=training.step.done, note="")
        self._bar.start()

    def on_step(self, training: Training) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(self._task, completed=training.step.done)

    def on_epoch(self, training: Training, epoch: Epoch) -> None:
        """Say the epoch's numbers."""
        best = training.history.best
        train = f"train {sum(epoch.train.values()):.6g}  " if epoch.train else ""
        note = f"{train}validation {epoch.score:.6g}  best {best.score:.6g} (epoch {best.epoch})"
        for finding in collapses(training.history, training.trainee.objective):
            note += f"  {finding.what} since epoch {finding.since}"
        if self._bar is None:
            line = f"epoch {epoch.epoch}/{training.epochs}  {note}  {epoch.seconds:.1f} s"
            self.console.print(line, highlight=False, soft_wrap=True)
        else:
            self._bar.update(self._task, description=f"epoch {epoch.epoch}/{training.epochs}", note=note)

    def on_stop(self, training: Training) -> None:
        """Take the bar down."""
        if self._bar is not None:
            self._bar.stop()
