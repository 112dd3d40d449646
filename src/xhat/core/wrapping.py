"""An objective around another one: the same equation on a batch that was changed first."""

from __future__ import annotations

from abc import abstractmethod

from torch import nn

from xhat.core.batch import Batch
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective


class Wrapping(Objective):
    """Give `objective` a changed batch; all else of it stays as it is.

    Parameters
    ----------
    objective : Objective
        What is minimised.
    """

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.objective = objective
        self.reads = objective.reads
        self.shapes_prior = objective.shapes_prior
        self.shapes_code = objective.shapes_code
        self.monitor = objective.monitor
        self.keeps_last = objective.keeps_last
        self.labelled_share = objective.labelled_share

    @abstractmethod
    def changed(self, batch: Batch) -> Batch:
        """Change what the wrapped objective gets."""

    def check(self, model: Model) -> None:
        """Let the wrapped objective refuse the model."""
        self.objective.check(model)

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the wrapped objective's terms on the changed batch."""
        self._tell()
        loss: Loss = self.objective(model, self.changed(batch))
        return loss

    def begin(self, model: Model, batch: Batch) -> None:
        """Let the wrapped objective begin on the changed batch."""
        self._tell()
        self.objective.begin(model, self.changed(batch))

    def critic_parameters(self) -> list[nn.Parameter]:
        """List the wrapped objective's critic."""
        return self.objective.critic_parameters()

    def critic_loss(self, model: Model, batch: Batch) -> Loss:
        """Give the wrapped critic's loss on the changed batch."""
        self._tell()
        return self.objective.critic_loss(model, self.changed(batch))

    def _tell(self) -> None:
        self.objective.epoch, self.objective.epochs, self.objective.rows = self.epoch, self.epochs, self.rows
