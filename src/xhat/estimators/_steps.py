"""Learning without an end: a pass over whatever rows come."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from xhat.core.objective import Objective
from xhat.data.dataset import Dataset
from xhat.engine.randomness import private_randomness
from xhat.engine.rows import batches
from xhat.engine.settings import TrainSettings
from xhat.engine.step import Step
from xhat.engine.trainee import Trainee
from xhat.engine.training import FIRST_LOOK
from xhat.models.fitted import Fitted


@dataclass
class Steps:
    """A model's steps, with what the next one depends on.

    Parameters
    ----------
    step : Step
        Without an end to its schedule.
    settings : TrainSettings
        Resolved.
    passes : int
        How many were made.
    """

    step: Step
    settings: TrainSettings
    passes: int = 0

    @classmethod
    def of(cls, fitted: Fitted, objective: Objective, settings: TrainSettings) -> Steps:
        """Begin to step a model."""
        trainee = Trainee(fitted.model, objective, fitted.scaling).to(fitted.device)
        return cls(Step(trainee, settings, None), settings)

    def over(self, data: Dataset, fitted: Fitted) -> None:
        """Step over rows once, in their order; a prior that training does not shape is fitted to their codes.

        What the model knows of the data's range widens with them: samples are kept within all that was seen.
        """
        trainee = self.step.trainee
        device = next(trainee.parameters()).device
        trainee.objective.rows = len(data)
        fitted.schema = fitted.schema.widened(data.schema, data.resident.numpy())
        with private_randomness(self.settings.seed + self.passes):
            rows = torch.arange(len(data))
            if self.passes == 0:
                trainee.eval()
                trainee.begin(data.batch(rows[:FIRST_LOOK]).to(device))
            trainee.train()
            for batch in batches(data, rows, self.settings.batch_size or 1):
                self.step(batch.to(device))
            trainee.eval()
            if not fitted.shapes_prior:
                with torch.no_grad():
                    fitted.model.prior.fit(torch.cat([fitted.model.encode(b).z for b in fitted.batches(data)]))
        self.passes += 1
