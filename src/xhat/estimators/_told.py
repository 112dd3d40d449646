"""What a fit is told: an estimator's arguments as a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from xhat.data.open import open as open_data
from xhat.engine.settings import TrainSettings
from xhat.runs.plan import Plan, make_plan

Rows = NDArray[Any]


def plan_of(estimator: Any, rows: Rows, kind: str, latent: int, changes: Mapping[str, Any]) -> Plan:
    """Plan the fit of a recipe with an estimator's arguments; `changes` are the recipe's own settings by path."""
    hidden = {} if estimator.hidden is None else {"net.hidden": tuple(estimator.hidden)}
    return make_plan(
        open_data(rows, kind="table" if rows.ndim == 2 else None, missing=has_gaps(rows), name="X"),
        kind,
        net=estimator.net,
        latent=latent,
        likelihood=estimator.likelihood,
        scale=estimator.scale,
        init=estimator.init,
        overrides={**hidden, **changes},
        settings=settings_of(estimator, len(rows)),
        validation=estimator.validation_fraction,
    )


def settings_of(estimator: Any, rows: int) -> TrainSettings:
    """Read how to train, on so many rows."""
    held_in = max(1, rows - max(1, round(rows * estimator.validation_fraction)))
    return TrainSettings(
        epochs=None if estimator.max_iter == "auto" else int(estimator.max_iter),
        batch_size=None if estimator.batch_size == "auto" else min(int(estimator.batch_size), held_in),
        lr=estimator.learning_rate,
        patience=estimator.n_iter_no_change if estimator.early_stopping else 10**9,
        seed=seed_of(estimator.random_state),
        device=estimator.device,
    )


def seed_of(random_state: Any) -> int:
    """Draw a seed; without a state, of the system's own randomness, so that a fit leaves no trace in numpy's."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return int(check_random_state(random_state).randint(2**31 - 1))


def has_gaps(rows: Rows) -> bool:
    """Say whether some value is missing."""
    return rows.dtype.kind == "f" and bool(np.isnan(rows).any())
