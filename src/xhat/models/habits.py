"""Habits: what a recipe takes where its user left a choice open."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from xhat.core.catalogue import find


@dataclass(frozen=True)
class Habits:
    """Choices of a recipe's own, under those of its user.

    Parameters
    ----------
    folders : mapping of str to object
        How a folder is opened, as ``{"tiles": 64}``: arguments of `xhat.data.open`.
    settings : mapping of str to object
        How it trains, as ``{"batch_size": 16}``: fields of `TrainSettings`.
    """

    folders: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def opening(self, source: Any) -> dict[str, Any]:
        """Give the arguments that open `source`, data or where it lies."""
        return dict(self.folders) if isinstance(source, str | Path) and Path(source).expanduser().is_dir() else {}


def habits(kind: str) -> Habits:
    """Give a recipe's habits: its file's ``HABITS``, or none.

    Raises
    ------
    UnknownKindError
        When there is no such recipe.
    """
    module = importlib.import_module(find(f"recipes/{kind}").__module__)
    return cast(Habits, getattr(module, "HABITS", Habits()))
