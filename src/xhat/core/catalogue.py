"""The catalogue: which parts exist, told from the names of files, so that listing them imports nothing."""

from __future__ import annotations

import ast
import difflib
import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from xhat.core.errors import UnknownKindError

HOUSE = Path(__file__).parent.parent
RECIPES = "recipes"
# Kinds that have no weights: they are no parts of a model, and lie beside what uses them.
ELSEWHERE = {RECIPES: "xhat.models", "operators": "xhat.restore", "solvers": "xhat.restore"}


@dataclass(frozen=True)
class Entry:
    """One file of a room: its room, its name and the first line of its docstring."""

    room: str
    name: str
    summary: str

    @property
    def kind(self) -> str:
        """How a configuration calls it, as ``objectives/mmd``."""
        return f"{self.room}/{self.name}"


@cache
def rooms() -> tuple[str, ...]:
    """Name the rooms of parts."""
    return tuple(sorted(path.name for path in (HOUSE / "parts").iterdir() if (path / "__init__.py").is_file()))


@cache
def names(room: str) -> tuple[str, ...]:
    """Name the parts of a room, or recipes, operators, solvers; files that begin with an underscore are servants.

    Raises
    ------
    UnknownKindError
        When there is no such room.
    """
    if room not in (known := (*rooms(), *ELSEWHERE)):
        raise UnknownKindError("catalogue", f"there is no room '{room}'", hint=suggest(room, known))
    return tuple(sorted(path.stem for path in _folder(room).glob("*.py") if not path.stem.startswith("_")))


@cache
def entries() -> tuple[Entry, ...]:
    """List every recipe, part, operator and solver with the first line of its docstring; nothing is imported."""
    return tuple(
        Entry(room, name, _first_line(_folder(room) / f"{name}.py"))
        for room in (RECIPES, *rooms(), *(room for room in ELSEWHERE if room != RECIPES))
        for name in names(room)
    )


def find(kind: str) -> Any:
    """Import the class or the recipe of a kind, as ``objectives/mmd``, ``nets/conv.encoder``, ``solvers/hqs``.

    Raises
    ------
    UnknownKindError
        When the catalogue does not hold it.
    """
    room, _, rest = kind.partition("/")
    name, _, side = rest.partition(".")
    if name not in names(room):
        raise UnknownKindError(room, f"there is no '{name}'", hint=suggest(name, names(room)))
    for cls in _classes(room, name):
        if kind_of(cls) == kind:
            return cls
    sides = [kind_of(cls) for cls in _classes(room, name)]
    raise UnknownKindError(f"{room}/{name}", f"has no '{side}'", hint=suggest(kind, sides))


def classes(room: str) -> list[Any]:
    """Import every part of a room: its classes, in the order of their files."""
    return [cls for name in names(room) for cls in _classes(room, name)]


def kind_of(cls: Any) -> str:
    """Name a kind's class, or a recipe: its room and its file, and for a net its side, as ``nets/conv.encoder``."""
    package, _, name = cls.__module__.rpartition(".")
    parent, _, room = package.rpartition(".")
    if parent != ELSEWHERE.get(room, "xhat.parts"):
        return f"own/{cls.__qualname__}"
    side = next((side for side in ("Encoder", "Decoder") if cls.__name__.endswith(side)), "")
    return f"{room}/{name}" + (f".{side.lower()}" if room == "nets" and side else "")


def suggest(name: str, known: Iterable[str]) -> str:
    """Say which known name was meant, or which there are."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"use one of: {', '.join(known)}"


def _classes(room: str, name: str) -> list[Any]:
    # Only names that stand in the room's folder come here: a configuration can never import what it likes.
    module = importlib.import_module(f"{_package(room)}.{name}")
    if room == RECIPES:
        return [getattr(module, name)]
    return [
        value
        for key, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not key.startswith("_")
    ]


def _package(room: str) -> str:
    return f"{ELSEWHERE.get(room, 'xhat.parts')}.{room}"


def _folder(room: str) -> Path:
    return HOUSE.joinpath(*_package(room).split(".")[1:])


def _first_line(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".")
