"""``run.toml``: a fit's options in a file, and the ``--set`` paths beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xhat.core.catalogue import suggest
from xhat.core.errors import ConfigError, MissingFileError


def read_run_file(path: Path, known: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a TOML file.

    Parameters
    ----------
    path : Path
        The file: an option a key, a part a table, as ``kind = "vae"`` and ``[objective]``, ``beta = 4``.
    known : iterable of str
        Names of options.

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
    known = list(known)
    for name, value in content.items():
        if isinstance(value, dict):
            changes |= {f"{name}.{key}": setting for key, setting in _flat(value)}
        elif (option := name.replace("-", "_")) in known:
            options[option] = value
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


def _flat(table: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, value in table.items():
        # A table with a kind describes a whole part, any other goes one step down the path.
        if isinstance(value, dict) and "kind" not in value:
            yield from ((f"{key}.{rest}", setting) for rest, setting in _flat(value))
        else:
            yield key, value
