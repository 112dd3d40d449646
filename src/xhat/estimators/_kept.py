"""What a folder keeps of an estimator beside its model: the arguments, and how long it learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from xhat.core.component import asks_for, build, config
from xhat.core.errors import ArtifactError, XhatError, require
from xhat.core.schedule import Schedule
from xhat.models.fitted import Fitted

KEYS = ("class", "params", "n_iter")
_RESTORE = "restore the folder from a copy, or fit again"


def record_of(estimator: BaseEstimator) -> dict[str, Any]:
    """Describe a fitted estimator in JSON's types.

    Arguments that have none, such as hooks, modules and random states, are left out: `adopt` then keeps the defaults.
    """
    params = {name: _plain(value) for name, value in estimator.get_params(deep=False).items() if _has_plain(value)}
    return {"class": type(estimator).__name__, "params": params, "n_iter": int(estimator.n_iter_)}


def adopt(estimator: BaseEstimator, fitted: Fitted, who: str) -> None:
    """Set an estimator's arguments to those that its folder tells.

    Those of another class, whose arguments may mean something else, and of a run that no estimator made are what
    configuration and weights say of them; the others stay.

    Raises
    ------
    ArtifactError
        When the record does not have the keys of `record_of`, or an argument is unknown or cannot be.
    """
    record = fitted.origin.get("estimator")
    if record is not None:
        fits = isinstance(record, Mapping) and sorted(record) == sorted(KEYS)
        fits = fits and isinstance(record["params"], Mapping) and type(record["n_iter"]) is int
        rule = f"origin.estimator must have the keys {', '.join(KEYS)}"
        require(fits, who, rule, hint=_RESTORE, error=ArtifactError)
    if record is None or record["class"] != type(estimator).__name__:
        estimator.set_params(**{name: value for name, value in _seen(fitted).items() if value is not None})
        return
    unknown = sorted(set(record["params"]) - set(estimator.get_params(deep=False)))
    rule = f"{record['class']} has no such argument"
    require(not unknown, who, rule, ", ".join(unknown), "install the xhat that wrote it", error=ArtifactError)
    try:
        estimator.set_params(**{name: _read(value) for name, value in record["params"].items()})
        estimator._validate_params()
    except (XhatError, ValueError, TypeError, KeyError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise ArtifactError(who, f"holds arguments that cannot be ({said})", hint=_RESTORE) from error
    estimator.n_iter_ = record["n_iter"]


def _seen(fitted: Fitted) -> dict[str, Any]:
    origin, settings = fitted.origin, fitted.origin.get("settings") or {}
    widths = _found(config(fitted.model.encoder), "hidden")
    net = origin.get("net")
    return {
        "net": None if net == "own" else net,
        "hidden": widths if widths is None else tuple(widths),
        "scale": fitted.scaling.how,
        "init": origin.get("init"),
        "max_iter": settings.get("epochs"),
        "batch_size": settings.get("batch_size"),
        "learning_rate": settings.get("lr"),
        "validation_fraction": origin.get("validation"),
    }


def _found(described: Any, key: str) -> Any:
    """Look for a key in a nested description."""
    if not isinstance(described, Mapping):
        return None
    inner = (_found(value, key) for value in described.values())
    return described.get(key) or next((value for value in inner if value is not None), None)


def _has_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_has_plain(one) for one in value)
    if isinstance(value, Schedule):
        return asks_for(config(value)) is None  # one of a user's own could not be loaded
    return value is None or isinstance(value, bool | int | float | str | np.generic)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Schedule):
        return config(value)
    return value.item() if isinstance(value, np.generic) else value


def _read(value: Any) -> Any:
    if isinstance(value, list):  # JSON has no tuples
        return tuple(_read(one) for one in value)
    return build(value) if isinstance(value, Mapping) else value
