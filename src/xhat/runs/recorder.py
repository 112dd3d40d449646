"""A hook that writes a run down while it goes."""

from __future__ import annotations

import json
import time

from xhat.core.files import write_bytes, write_json
from xhat.engine.checkpoint import write_checkpoint
from xhat.engine.history import Epoch
from xhat.engine.hook import Hook
from xhat.engine.training import Training
from xhat.models.artifact import describe
from xhat.models.fitted import Fitted
from xhat.runs.environment import environment
from xhat.runs.folder import RunFolder


class Recorder(Hook):
    """Keep configuration, metrics and checkpoints of a run in its folder.

    Parameters
    ----------
    folder : RunFolder
        Where to write.
    fitted : Fitted
        What is being trained.
    seconds : float, default=30
        At least this long between two checkpoints; an interrupted run always writes one.
    """

    def __init__(self, folder: RunFolder, fitted: Fitted, seconds: float = 30.0) -> None:
        self.folder, self.fitted, self.seconds = folder, fitted, seconds
        self._written = time.monotonic()

    def on_start(self, training: Training) -> None:
        """Write what is known before the first step; a continued run drops what its checkpoint does not know."""
        write_json(self.folder.config, describe(self.fitted))
        write_json(self.folder.environment, environment(training.device))
        write_bytes(self.folder.metrics, "".join(_line(epoch) for epoch in training.history.epochs).encode())

    def on_epoch(self, training: Training, epoch: Epoch) -> None:
        """Add a line of metrics, and write a checkpoint where one is due."""
        with self.folder.metrics.open("a", encoding="utf-8") as file:
            file.write(_line(epoch))
        if time.monotonic() - self._written > self.seconds:
            self._checkpoint(training)

    def on_stop(self, training: Training) -> None:
        """Write the last checkpoint."""
        if training.status != "diverged":
            self._checkpoint(training)

    def _checkpoint(self, training: Training) -> None:
        write_checkpoint(self.folder.checkpoint, training.state())
        self._written = time.monotonic()


def _line(epoch: Epoch) -> str:
    return json.dumps(epoch.to_dict()) + "\n"
