"""Numbers as a reader wants them."""

from __future__ import annotations

import math
import re

from markupsafe import Markup, escape


def number(value: float) -> str:
    """Write a number with three digits that count: 0.0123, 4.57, 12,346, 1.2e-07."""
    if not math.isfinite(value):
        return "no number"
    whole = abs(value) >= 1000 or value == int(value)
    text = f"{value:,.0f}" if whole and abs(value) < 1e7 else f"{value:.3g}"
    return text.replace("-", "−", 1) if value < 0 else text


def count(n: int, noun: str) -> str:
    """Write "1 row" or "1,797 rows"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def shape(axes: tuple[int, ...]) -> str:
    """Write a shape as 1×28×28."""
    return "×".join(map(str, axes))


def flags(text: str) -> Markup:
    """Set options of the command line, as --lr, in code; all else is escaped."""
    return Markup(re.sub(r"(?<!\S)--[a-z][a-z-]*", r'<code class="flag">\g<0></code>', str(escape(text))))
