"""Templates of pages: what a stranger wrote into data, columns or file names is escaped in all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(template: str, /, *, filters: dict[str, Callable[..., Any]] | None = None, **values: Any) -> str:
    """Fill in a template of this folder.

    Parameters
    ----------
    template : str
        Its file's name.
    filters : mapping of str to function, optional
        What it calls.
    **values
        What it names; a name without a value is an error.
    """
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= filters or {}
    return templates.get_template(template).render(**values)
