"""A recipe's result: a model, and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass

from xhat.core.catalogue import classes, kind_of
from xhat.core.errors import ConfigError
from xhat.core.objective import Objective
from xhat.models.autoencoder import Autoencoder


@dataclass(frozen=True)
class Recipe:
    """A model with an objective that reads the code which the model's bottleneck emits.

    Parameters
    ----------
    model : Autoencoder
        What is kept after training.
    objective : Objective
        How it is trained.

    Raises
    ------
    ConfigError
        When the objective needs a code that the bottleneck does not emit; the bottlenecks that fit are named. Or
        when it refuses the model for a reason of its own, as free bits refuse a prior of dependent dimensions.
    """

    model: Autoencoder
    objective: Objective

    def __post_init__(self) -> None:
        emits, reads = self.model.bottleneck.emits, self.objective.reads
        if not issubclass(emits, reads):
            fitting = ", ".join(kind_of(cls) for cls in classes("bottlenecks") if issubclass(cls.emits, reads))
            raise ConfigError(
                type(self.objective).__name__,
                f"reads a {reads.__name__}, but {kind_of(type(self.model.bottleneck))} emits a {emits.__name__}",
                hint=f"use one of: {fitting}",
            )
        self.objective.check(self.model)
