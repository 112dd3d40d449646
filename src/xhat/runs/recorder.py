"""A hook that writes a run down while it goes."""

from __future__ import annotations

import time

from xhat.core.files import write_json
from xhat.engine.checkpoint import write_checkpoint
from xhat.engine.history import Epoch
from xhat.engine.hook import Hook
from xhat.engine.processes import ASK_EVERY
from xhat.engine.training import Training
from xhat.models.artifact import append_epoch, describe, write_history
from xhat.models.fitted import Fitted
from xhat.runs.environment import environment
from xhat.runs.folder import RunFolder


class Recorder(Hook):
    """Keep configuration, metrics and checkpoints of a run in its folder.

    The folder is made once the untrained model has been judged: what fails before leaves none behind, and what is
    killed after can be continued.

    Parameters
    ----------
    folder : RunFolder or None
        Where to write. Of several processes the first one writes; the others need none, and hand in what they have of
        the weights where these are divided.
    fitted : Fitted
        What is being trained.
    seconds : float, default=30
        At least this long between two checkpoints at the ends of epochs; an interrupted run always writes one.
    amid : float, default=300
        At least this long between two checkpoints amid an epoch, so that a run of long ones loses little when it is
        killed.
    """

    everywhere = True

    def __init__(self, folder: RunFolder | None, fitted: Fitted, seconds: float = 30.0, amid: float = 300.0) -> None:
        self.folder, self.seconds, self.amid = folder, seconds, amid
        self._description = describe(fitted)
        self._written = time.monotonic()

    def on_start(self, training: Training) -> None:
        """Begin a continued run's files again: its metrics may hold epochs that its checkpoint does not know."""
        if training.history.epochs:
            self._begin(training)

    def on_epoch(self, training: Training, epoch: Epoch) -> None:
        """Add a line of metrics, and write a checkpoint where one is due."""
        if epoch.epoch == 0:
            self._begin(training)
            self._checkpoint(training)
            return
        if self.folder is not None:
            append_epoch(self.folder.metrics, epoch)
        if self._due(training, self.seconds):
            self._checkpoint(training)

    def on_step(self, training: Training) -> None:
        """Write a checkpoint amid an epoch where one is due; after its last step the epoch is still to be judged."""
        asks = training.step.shards is None or training.step.done % ASK_EVERY == 0
        if asks and training.step.done % training.steps_per_epoch and self._due(training, self.amid):
            self._checkpoint(training)

    def on_stop(self, training: Training) -> None:
        """Write the last checkpoint, unless an error struck amid a step: from there nothing continues exactly."""
        if training.status in ("finished", "stopped early", "interrupted"):
            self._checkpoint(training)

    def _due(self, training: Training, seconds: float) -> bool:
        late = time.monotonic() - self._written > seconds
        # Divided weights are gathered by all or by none: the first one's clock decides.
        return late if training.step.shards is None else bool(training.processes.agreed({"late": late})["late"])

    def _begin(self, training: Training) -> None:
        if self.folder is not None:
            write_json(self.folder.config, self._description)
            write_json(self.folder.environment, environment(training.device))
            write_history(self.folder.metrics, training.history)

    def _checkpoint(self, training: Training) -> None:
        state = training.state()
        if self.folder is not None:
            write_checkpoint(self.folder.checkpoint, state)
        self._written = time.monotonic()
