"""A hook: something that watches a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xhat.engine.history import Epoch

if TYPE_CHECKING:
    from xhat.engine.training import Training


class Hook:
    """Called by the engine; does nothing unless a method is overridden."""

    everywhere = False
    """Whether it is called in every one of several processes, and not in the first alone."""

    def on_start(self, training: Training) -> None:
        """Before the first step of this process."""

    def on_step(self, training: Training) -> None:
        """After each step."""

    def on_epoch(self, training: Training, epoch: Epoch) -> None:
        """After each epoch and its validation."""

    def on_stop(self, training: Training) -> None:
        """When the run ends, was interrupted or failed."""
