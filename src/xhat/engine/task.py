"""A training to come."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from xhat.engine.labelled import Order
from xhat.engine.rows import Rows
from xhat.engine.settings import TrainSettings
from xhat.engine.trainee import Trainee


@dataclass(frozen=True, eq=False)
class Task:
    """A training to come: what a `Training` would be given.

    Parameters
    ----------
    trainee : Trainee
        Moved in place.
    data : Rows
        The data.
    train, validation : int64 Tensor
        Which of its rows to learn from, and which to judge by.
    settings : TrainSettings
        Resolved.
    """

    trainee: Trainee
    data: Rows
    train: Tensor
    validation: Tensor
    settings: TrainSettings

    @property
    def order(self) -> Order:
        """The rows of each epoch."""
        share, batch = self.trainee.objective.labelled_share, self.settings.batch_size or 1
        return Order.of(self.train, self.data.y, share, batch, self.settings.seed)
