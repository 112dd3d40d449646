"""A schedule: a coefficient that follows the run."""

from __future__ import annotations

import ast
import inspect
import math
from abc import abstractmethod
from typing import Any, TypeAlias, cast

from xhat.core.catalogue import find, names, suggest
from xhat.core.component import Component, build
from xhat.core.errors import ConfigError, require


class Schedule(Component):
    """A function of the epoch, constant from `epochs` on.

    Where an objective has a number, a schedule can stand: in Python as ``linear(0, 1, epochs=10)``, in a TOML file or
    on a command line as the text ``"linear(0, 1, epochs=10)"``.
    """

    epochs: float
    """How many epochs pass until the last value is reached; a run must be at least as long."""

    @abstractmethod
    def value(self, epoch: float) -> float:
        """Give the coefficient after `epoch` epochs, a number from 0 on; infinity asks for the last value."""

    @property
    @abstractmethod
    def lowest(self) -> float:
        """The smallest value that is ever taken, for rules such as "must be >= 0"."""


Coefficient: TypeAlias = float | Schedule
"""A number, or one that follows the run."""


def coefficient(value: Any, who: str, name: str, *, lowest: float = 0.0, hint: str = "use 0 for none") -> Coefficient:
    """Read a coefficient as an objective's constructor gets it.

    Parameters
    ----------
    value : float, Schedule or str
        A text is a schedule's call, as ``"linear(0, 1, epochs=10)"``.
    who, name, hint : str
        For the error's line.
    lowest : float, default=0
        What it must never fall below.

    Raises
    ------
    ConfigError
        When it is none of these, or falls below `lowest`.
    """
    if isinstance(value, str):
        value = _called(value, f"{who}.{name}")
    if isinstance(value, Schedule):
        require(value.lowest >= lowest, who, f"{name} must be >= {lowest:g}", f"a schedule to {value.lowest:g}", hint)
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
    rule = f"{name} must be a number or a schedule"
    require(number, who, rule, repr(value), "as 0.5, or 'linear(0, 1, epochs=10)'")
    require(value >= lowest, who, f"{name} must be >= {lowest:g}", value, hint)
    return cast(float, value)


def _called(text: str, who: str) -> Schedule:
    """Read a call of literals; nothing is evaluated."""
    hint = "as linear(0, 1, epochs=10)"
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
            raise ValueError("no call")
        name = call.func.id
        given = [ast.literal_eval(argument) for argument in call.args]
        named = [(str(word.arg), ast.literal_eval(word.value)) for word in call.keywords]
    except (SyntaxError, ValueError) as error:
        raise ConfigError(who, "must be a number or a schedule", f"'{text}'", hint) from error
    if name not in names("schedules"):
        raise ConfigError(who, f"there is no schedule '{name}'", hint=suggest(name, names("schedules")))
    cls = find(f"schedules/{name}")
    known = list(inspect.signature(cls).parameters)
    if len(given) > len(known):
        raise ConfigError(who, f"{name} takes at most {len(known)} numbers", f"'{text}'", hint)
    pairs = [*zip(known, given, strict=False), *named]
    for i, (argument, value) in enumerate(pairs):
        require(argument not in dict(pairs[:i]), who, f"{name} must be given '{argument}' once", f"'{text}'", hint)
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        require(number, who, f"{name}'s {argument} must be a finite number", repr(value), hint)
    return cast(Schedule, build({"kind": f"schedules/{name}", **dict(pairs)}))
