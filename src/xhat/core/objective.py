"""An objective: how a model is trained, one paper's equation."""

from __future__ import annotations

import math
from abc import abstractmethod

from torch import nn

from xhat.core.batch import Batch
from xhat.core.code import Code
from xhat.core.component import Component
from xhat.core.errors import ConfigError
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.schedule import Coefficient, Schedule


class Objective(Component):
    """A function of a model and a batch that gives the loss to step on."""

    reads: type[Code] = Code
    """The kind of code that the equation needs."""

    shapes_prior: bool = True
    """Whether training draws the codes towards the model's prior; if not, the prior is fitted afterwards."""

    shapes_code: bool = False
    """Whether the equation presses the codes themselves, as to be short or sparse; a fit then begins at random and
    not at PCA, unless it is asked to."""

    monitor: tuple[str, ...] = ()
    """The terms whose sum chooses the best epoch on validation; empty for all of them."""

    labelled_share: float = 0.0
    """The share of each training batch that is drawn from rows with a label, where some rows have none (y < 0);
    in [0, 1). 0 draws rows as they come."""

    keeps_last: bool = False
    """Whether the last epoch is kept and not the best on validation: where no term there tells a better one."""

    epoch: float = 0.0
    """How far the run is, set by the engine: for coefficients that follow a schedule."""

    epochs: int = 1
    """How many epochs the run has at most, set by the engine: for training in stages."""

    rows: int = 1
    """How many rows are learned from, set by the engine: for estimates that need the size of the whole."""

    def now(self, value: Coefficient) -> float:
        """Give what a coefficient is at this point of the run.

        In evaluation it is the last value of its schedule, so that epochs can be compared on validation.
        """
        if isinstance(value, Schedule):
            return value.value(self.epoch if self.training else math.inf)
        return value

    def check(self, model: Model) -> None:
        """Refuse a model that the equation cannot be written for; asked as the two are put together."""

    def begin(self, model: Model, batch: Batch) -> None:
        """Look at some rows before the first step, for an objective that starts from them."""

    @abstractmethod
    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the terms of the loss."""

    def critic_parameters(self) -> list[nn.Parameter]:
        """List the parameters that the critic's own optimiser steps; empty without an adversary."""
        return []

    def critic_loss(self, model: Model, batch: Batch) -> Loss:
        """Give the critic's loss, whose gradient reaches `critic_parameters` only."""
        raise ConfigError(type(self).__name__, "has no critic", hint="ask critic_parameters() first")
