"""The error tree: each error is one line that says who, the rule, what came and what to do."""

from __future__ import annotations

from typing import Any


class XhatError(Exception):
    """Root of every error that xhat raises on purpose.

    Parameters
    ----------
    who : str
        The class, function or file that refuses.
    rule : str
        What must hold, as "beta must be >= 0".
    got : object
        What came instead; left out of the line when ``None``.
    hint : str
        What to do, as a sentence without its full stop.
    """

    def __init__(self, who: str, rule: str, got: Any = None, hint: str = "") -> None:
        super().__init__(who, rule, got, hint)
        self.who, self.rule, self.got, self.hint = who, rule, got, hint
        came = "" if got is None else f", got {got}"
        advice = f" {hint[0].upper()}{hint[1:].rstrip(chr(46))}" if hint else ""
        advice += "" if advice.endswith("?") or not advice else "."
        self.message = f"{who}: {rule}{came}.{advice}"

    def __str__(self) -> str:
        return self.message


class ConfigError(XhatError, ValueError):
    """An argument or a configuration that breaks a rule."""


class ShapeError(XhatError, ValueError):
    """Two shapes that do not meet."""


class DataError(XhatError, ValueError):
    """Data that cannot be opened or learned from as it is."""


class UnknownKindError(XhatError, LookupError):
    """A name that the catalogue does not hold."""


class MissingFileError(XhatError, FileNotFoundError):
    """A path where nothing lies."""


class ArtifactError(XhatError, OSError):
    """A run folder that cannot be read or written."""


class TrainingError(XhatError, ArithmeticError):
    """A training that cannot go on, such as a loss that is no number."""


class ProcessError(XhatError, ConnectionError):
    """A process of several that train together has gone."""


def require(
    condition: bool,
    who: str,
    rule: str,
    got: Any = None,
    hint: str = "",
    *,
    error: type[XhatError] = ConfigError,
) -> None:
    """Raise `error` unless `condition` holds.

    Parameters
    ----------
    condition : bool
        The rule's truth.
    who, rule, got, hint
        See `XhatError`.
    error : type of XhatError
        The branch of the tree.
    """
    if not condition:
        raise error(who, rule, got, hint)
