"""What a recipe and its data must have in common, refused before anything is trained or written."""

from __future__ import annotations

from typing import cast

import torch

from xhat.core.errors import require
from xhat.core.schedule import Schedule
from xhat.data.dataset import Dataset
from xhat.data.scaling import Scaling
from xhat.engine.settings import TrainSettings
from xhat.models.recipe import Recipe


def check_labels(recipe: Recipe, data: Dataset) -> None:
    """Refuse a model that reads labels where some are missing."""
    if recipe.model.reads_labels:
        gaps = len(data) if data.y is None else int((data.y < 0).sum())
        hint = "give labels=, or --labels; or use kind m2, which learns from rows without one as well"
        require(gaps == 0, "fit", "this model reads the label of every row", f"{gaps} rows without one", hint)


def check_schedules(recipe: Recipe, settings: TrainSettings) -> None:
    """Refuse a coefficient that is still on its way when the run ends."""
    for part in recipe.objective.modules():
        if isinstance(part, Schedule):
            rule = f"a schedule must end within the run, which has {settings.epochs} epochs"
            hint = "shorten it, or train for more --epochs"
            enough = part.epochs <= cast(int, settings.epochs)
            require(enough, type(recipe.objective).__name__, rule, f"{part.epochs:g} epochs", hint)


def check_support(recipe: Recipe, data: Dataset, scaling: Scaling) -> None:
    """Refuse a likelihood that cannot say anything of values that the scaling gives it."""
    low, high = recipe.model.likelihood.support
    ends = torch.tensor([data.schema.low, data.schema.high], dtype=torch.float64)
    seen = scaling(ends.view(2, *(1 for _ in scaling.centre.shape)))  # (2, …), as nets would
    lowest, highest = float(seen[0].min()), float(seen[1].max())
    require(
        low <= lowest and highest <= high,
        type(recipe.model.likelihood).__name__,
        f"reads data in [{low:g}, {high:g}]",
        f"{lowest:.3g} to {highest:.3g} under --scale {scaling.how}",
        "use --scale unit" if data.schema.mixed is None else "leave it out: columns of a mixed table have their own",
    )
