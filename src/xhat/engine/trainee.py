"""What the engine steps: a model with the objective that trains it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from xhat.core.batch import Batch
from xhat.core.loss import Loss
from xhat.core.objective import Objective


class Trainee(nn.Module):
    """A model, its objective and its scaling, as one module that maps a raw batch to a loss.

    Wrappers for several processes, mixed precision and compilation go around this module.

    Parameters
    ----------
    model : nn.Module
        An autoencoder.
    objective : Objective
        How it is trained.
    scaling : nn.Module
        From raw rows to what the model sees.
    """

    def __init__(self, model: nn.Module, objective: Objective, scaling: nn.Module) -> None:
        super().__init__()
        self.model, self.objective, self.scaling = model, objective, scaling

    def forward(self, batch: Batch) -> Loss:
        """Give the loss of a raw batch."""
        return self.loss(self.ready(batch))

    def ready(self, batch: Batch) -> Batch:
        """Scale a raw batch."""
        return replace(batch, x=self.scaling(batch.x))

    def loss(self, batch: Batch) -> Loss:
        """Give the loss of a batch that is scaled."""
        loss: Loss = self.objective(self.model, batch)
        return loss if batch.weight is None else loss.weighted(batch.weight)

    @torch.no_grad()
    def begin(self, batch: Batch) -> None:
        """Let the parts that start from data look at some raw rows, once, before the first step.

        Of a model that goes on from an earlier fit, `begun`, they keep what they learned.
        """
        if getattr(self.model, "begun", False):
            return
        batch = self.ready(batch)
        self.model.begin(batch)  # type: ignore[operator]
        self.objective.begin(self.model, batch)  # type: ignore[arg-type]

    def critic_loss(self, batch: Batch) -> Loss:
        """Give the critic's loss of a batch that is scaled."""
        return self.objective.critic_loss(self.model, batch).weighted(batch.weight)  # type: ignore[arg-type]

    def nets(self) -> list[nn.Module]:
        """List what may compute with fewer bits: the encoder and the decoder."""
        return [self.model.encoder, self.model.decoder]  # type: ignore[list-item]

    def exchange_nets(self, nets: list[nn.Module]) -> None:
        """Go on with other nets in their places."""
        self.model.encoder, self.model.decoder = nets

    def critic_parameters(self) -> list[nn.Parameter]:
        """List what the critic's optimiser steps."""
        return [p for p in self.objective.critic_parameters() if p.requires_grad]

    def main_parameters(self) -> list[nn.Parameter]:
        """List what the main optimiser steps: the model's and the objective's own, without the critic's."""
        critic = {id(p) for p in self.objective.critic_parameters()}
        return [p for p in self.parameters() if p.requires_grad and id(p) not in critic]
