"""A component: a module whose constructor is its configuration."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Self

from torch import nn

from xhat.core.catalogue import find, kind_of, suggest
from xhat.core.errors import ConfigError

# Stands in a description for an object of the user's own: it is asked for again, never imported by name.
GIVEN = "given"


class Component(nn.Module):
    """Base of every part.

    The constructor's arguments are stored under their own names, so that `config` can read them back;
    nothing else is needed to write a part to JSON and to build it again.
    """

    @classmethod
    def example(cls) -> Self:
        """Make a tiny instance, for tests and for documentation."""
        raise NotImplementedError(f"{cls.__name__} gives no example")


def config(part: Component) -> dict[str, Any]:
    """Describe `part` in JSON's types: its kind and its constructor's arguments, nested."""
    return {"kind": kind_of(type(part))} | {
        name: _plain(getattr(part, name), f"{type(part).__name__}.{name}") for name in _arguments(type(part))
    }


def build(description: Mapping[str, Any]) -> Component:
    """Make the part that `config` described.

    Raises
    ------
    UnknownKindError
        When the catalogue does not hold its kind.
    ConfigError
        When an argument is unknown, missing or refused.
    """
    arguments = dict(description)
    kind = arguments.pop("kind", None)
    if not isinstance(kind, str):
        raise ConfigError("build", "a part's description must have a 'kind'", description, "as 'nets/mlp.encoder'")
    cls = find(kind)
    known = _arguments(cls)
    for name in arguments:
        if name not in known:
            raise ConfigError(kind, f"has no argument '{name}'", hint=suggest(name, known))
    try:
        inspect.signature(cls).bind(**arguments)
    except TypeError as error:
        raise ConfigError(kind, f"{error}", hint="add it to the description") from error
    part: Component = cls(**{name: _made(value) for name, value in arguments.items()})
    return part


def asks_for(description: Any) -> str | None:
    """Name the user's own object that a description asks for: a wrapped one, or a part of a class not xhat's."""
    if not isinstance(description, Mapping):
        return None
    kind = str(description.get("kind", ""))
    if GIVEN in description or kind.startswith("own/"):
        return str(description.get(GIVEN, kind.removeprefix("own/")))
    return next((asked for value in description.values() if (asked := asks_for(value))), None)


def with_given(description: Mapping[str, Any], given: Any) -> Any:
    """Put the user's object where a description asks for it."""
    if GIVEN in description or str(description.get("kind", "")).startswith("own/"):
        return given
    return {
        key: with_given(value, given) if isinstance(value, Mapping) else value for key, value in description.items()
    }


def _arguments(cls: type) -> list[str]:
    parameters = inspect.signature(cls).parameters.values()
    # A part without a constructor shows nn.Module's *args and **kwargs: it has nothing to configure.
    return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _plain(value: Any, who: str) -> Any:
    if isinstance(value, Component):
        return config(value)
    if isinstance(value, tuple | list):
        return [_plain(item, who) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item, who) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, nn.Module) or callable(value):
        return {GIVEN: getattr(value, "__name__", type(value).__name__)}
    raise ConfigError(who, "a configuration holds numbers, texts, lists and parts", type(value).__name__)


def _made(value: Any) -> Any:
    if isinstance(value, Mapping):
        return build(value) if "kind" in value else {key: _made(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_made(item) for item in value)
    return value
