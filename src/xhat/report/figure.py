"""A figure: what the page shows under one heading."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Figure:
    """A picture and the words that it needs.

    Parameters
    ----------
    title : str
        The heading.
    caption : str
        What is drawn, and what to look for.
    body : Markup
        Inline SVG, images as data or a table; safe as it is.
    wide : bool, default=False
        Whether it takes the page's whole width.
    """

    title: str
    caption: str
    body: Markup
    wide: bool = False


def empty(title: str, why: str) -> Figure:
    """Say in words why there is nothing to draw."""
    return Figure(title, why, Markup('<p class="empty">Nothing to draw.</p>'))
