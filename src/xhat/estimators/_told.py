"""What a fit is told: an estimator's arguments as a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from xhat.core.errors import require
from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.engine.hook import Hook
from xhat.engine.settings import TrainSettings
from xhat.runs.plan import Plan, make_plan

Rows = NDArray[Any]


def hooks_of(estimator: Any) -> Sequence[Hook]:
    """Read who watches."""
    hooks = estimator.callbacks or ()
    strangers = [type(hook).__name__ for hook in hooks if not isinstance(hook, Hook)]
    hint = "derive it from xhat.engine.hook.Hook"
    require(not strangers, type(estimator).__name__, "callbacks must be hooks", ", ".join(strangers) or None, hint)
    return tuple(hooks)


def plan_of(estimator: Any, rows: Rows | Dataset, kind: str, latent: int, changes: Mapping[str, Any]) -> Plan:
    """Plan the fit of a recipe with an estimator's arguments; `changes` are the recipe's own settings by path."""
    who, widths = type(estimator).__name__, estimator.hidden
    fits = all(isinstance(width, int | np.integer) and width >= 1 for width in widths or ())
    require(
        fits, who, "hidden must hold whole numbers >= 1", widths, "as (512, 256), from the data's side to the code's"
    )
    left = len(rows) - max(1, round(len(rows) * estimator.validation_fraction))
    hint = "give more rows, or lower validation_fraction" if len(rows) > 2 else "give more rows"
    require(left >= 2, who, "needs 2 rows to learn from", f"{left} of {len(rows)}", hint)
    hidden = {} if widths is None else {"net.hidden": tuple(int(width) for width in widths)}
    if not isinstance(rows, Dataset):
        rows = open_data(rows, kind="table" if rows.ndim == 2 else None, missing=has_gaps(rows), name="X")
    return make_plan(
        rows,
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
