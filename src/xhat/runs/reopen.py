"""Opening a run's data again: the same rows or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from xhat.core.errors import ArtifactError, require
from xhat.data.blocks import Blocks
from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.data.split import Split
from xhat.models.fitted import Fitted
from xhat.runs.plan import fingerprint


def reopen(fitted: Fitted, data: Any, who: str, verb: str) -> Dataset:
    """Open what a run was fitted to.

    Parameters
    ----------
    fitted : Fitted
        The run's model.
    data : object
        The data, where it was no path or lies elsewhere now; None opens it from where it came.
    who : str
        The run, for errors.
    verb : str
        What it is opened for, as "continued".

    Raises
    ------
    ConfigError
        When the run was fitted to an array and none is given.
    ArtifactError
        When the data is not what the run was fitted to.
    """
    options = dict(fitted.origin.get("source", {}))
    source = options.pop("path", None)
    require(data is not None or source is not None, who, "was fitted to an array", hint="give it again, as data=")
    if data is not None and not isinstance(data, str | Path):
        options = fitted.schema.opening()
    opened = data if isinstance(data, Dataset) else open_data(source if data is None else data, **options)
    fitted.schema.check(opened.schema)
    # A run's order is its own, wherever its rows lie now.
    kept = fitted.origin.get("blocks")
    opened = replace(opened, blocks=None if kept is None else Blocks(**kept))
    same = fingerprint(opened) == fitted.origin.get("fingerprint")
    rule = f"can only be {verb} on the data that it began with"
    require(same, who, rule, hint="restore the data", error=ArtifactError)
    return opened


def split_of(fitted: Fitted, data: Dataset) -> Split:
    """Draw the training and validation rows that a run drew."""
    origin = fitted.origin
    return data.split(origin["validation"], seed=int(origin["settings"]["seed"]))
