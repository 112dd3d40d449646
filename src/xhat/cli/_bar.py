"""How far a restoration is: a bar on a terminal, elsewhere nothing."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Bar:
    """A bar with the time that has passed and what remains.

    Parameters
    ----------
    steps : int
        Iterations, of all answers together.
    console : Console, optional
        Where to show it; standard error by default, so that results can be piped.
    """

    def __init__(self, steps: int, console: Console | None = None) -> None:
        self.steps = steps
        console = Console(stderr=True) if console is None else console
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("passed,"),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("restoring", total=steps)
        self._done = 0

    @property
    def completed(self) -> float:
        """How many steps are done, tiles as their share of one."""
        return self._bar.tasks[0].completed

    def on_iteration(self, number: int, x: object) -> None:
        """Say how many iterations are done."""
        self._done = number
        words = f"step {number} of {self.steps}" if self.steps > 1 else "restoring"
        self._bar.update(self._task, completed=number, description=words)

    def on_tile(self, done: int, tiles: int) -> None:
        """Say how many tiles of the step that is on are done."""
        step = f"step {self._done + 1} of {self.steps}, " if self.steps > 1 else ""
        completed = self._done + done / tiles
        self._bar.update(self._task, completed=completed, description=f"{step}tile {done} of {tiles}")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
