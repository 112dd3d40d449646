"""A pair of rows as a small table: a line for each column, with a bar for the difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

# Of wide tables, the columns that differ most.
SHOWN = 12


@dataclass(frozen=True)
class Line:
    """A column's name, its two values in words, and their difference as a share of the longest bar, from -1 to 1."""

    name: str
    first: str
    second: str
    share: float


def column_table(caption: str, names: tuple[str, ...], lines: Sequence[Line]) -> Markup:
    """Lay out the lines that differ most, the most different first; `names` are those of both rows and the bars."""
    first, second = names[:2]
    head = Markup('<th scope="col">column</th><th scope="col">{}</th><th scope="col">{}</th><th>{}</th>').format(
        first, second, names[2] if len(names) > 2 else "difference"
    )
    most = sorted(lines, key=lambda line: -abs(line.share) if math.isfinite(line.share) else 0.0)[:SHOWN]
    rows = Markup("").join(
        Markup('<tr><th scope="row" title="{}">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>').format(
            line.name, line.name, line.first, line.second, _bar(line.share)
        )
        for line in most
    )
    table = '<div class="scroll"><table class="columns"><caption>{}</caption><thead><tr>{}</tr></thead>'
    return Markup(table + "<tbody>{}</tbody></table></div>").format(caption, head, rows)


def which(columns: int) -> str:
    """Say which columns are shown."""
    return "All columns" if columns <= SHOWN else f"The {SHOWN} of {columns} columns that differ most"


def _bar(share: float) -> Markup:
    share = max(-1.0, min(1.0, share)) if math.isfinite(share) else 0.0
    left, width = 50 + min(share, 0) * 50, abs(share) * 50
    side = "high" if share > 0 else "low"
    bar = '<span class="bar"><span class="{}" style="left:{}%;width:{}%"></span></span>'
    return Markup(bar).format(side, f"{left:.1f}", f"{width:.1f}")
