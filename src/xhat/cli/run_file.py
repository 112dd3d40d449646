"""``run.toml``: a fit's options in a file, and the ``--set`` paths beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from xhat.core.catalogue import suggest
from xhat.core.errors import ConfigError, MissingFileError

WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def read_run_file(path: Path, known: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a TOML file.

    Parameters
    ----------
    path : Path
        The file: an option a key, a part a table, as ``kind = "vae"`` and ``[objective]``, ``beta = 4``.
    known : mapping of str to type
        Names of options, and what each may hold.

    Returns
    -------
    options, changes : dict
        The options by name, and the parts' settings by their paths.
    """
    if not path.is_file():
        raise MissingFileError("--config", f"there is no file '{path}'", hint="give a TOML file")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is no TOML ({error})", hint="mend that line") from error
    options: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            changes |= dict(_flat({name: value}))
        elif (option := name.replace("-", "_")) in known:
            options[option] = _checked(path, name, value, known[option])
        else:
            raise ConfigError(str(path), f"has no option '{name}'", hint=suggest(name, known))
    return options, changes


def read_changes(texts: Iterable[str]) -> dict[str, Any]:
    """Read ``PATH=VALUE`` texts; a value is TOML's, or a bare word."""
    changes: dict[str, Any] = {}
    for text in texts:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise ConfigError("--set", "must be PATH=VALUE", f"'{text}'", "as objective.beta=4")
        try:
            changes[path.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            changes[path.strip()] = value.strip()
    return changes


def _checked(path: Path, name: str, value: Any, hint: Any) -> Any:
    words = []
    for choice in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        if get_origin(choice) is Literal:
            fits, word = value in get_args(choice), ", ".join(get_args(choice))
        else:
            fits, word = type(value) is choice or (choice is float and type(value) is int), WORDS.get(choice, "")
        if fits:
            return value
        words += [word] if word else []
    raise ConfigError(str(path), f"{name} must be {' or '.join(words)}", repr(value))


def _flat(table: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, value in table.items():
        # A table with a kind describes a whole part, any other goes one step down the path.
        if isinstance(value, dict) and "kind" not in value:
            yield from ((f"{key}.{rest}", setting) for rest, setting in _flat(value))
        else:
            yield key, value
