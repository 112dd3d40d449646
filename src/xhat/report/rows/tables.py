"""Rows of tables: the columns that differ most."""

from __future__ import annotations

import math
from typing import ClassVar

from markupsafe import Markup

from xhat.report.rows.view import Group, Pair, RowView
from xhat.report.words import number

COLUMNS = 12


class Tables(RowView):
    """A small table for each pair, with a bar for each difference."""

    counts: ClassVar[tuple[int, int, int]] = (1, 1, 1)
    samples: ClassVar[tuple[int, int]] = (3, 1)
    narrow: ClassVar[bool] = False
    arrangement: ClassVar[str] = "thirds"

    def reading(self, scale: float) -> str:
        """Say which columns are shown, and what the bars measure."""
        shown, columns = min(COLUMNS, self.shape[0]), self.shape[0]
        which = "All columns" if shown == columns else f"The {shown} of {columns} columns that differ most"
        return f"{which}, the most different first; bars go to the right where the {self.names[1]} is greater."

    def group(self, group: Group, scale: float) -> Markup:
        """Show one table a pair."""
        return Markup("").join(self._table(pair, scale) for pair in group.pairs)

    def _table(self, pair: Pair, scale: float) -> Markup:
        scaled = self.scaled(pair).tolist()
        order = sorted(range(len(scaled)), key=lambda i: -abs(scaled[i]) if math.isfinite(scaled[i]) else 0.0)
        names = self.schema.columns or tuple(f"column {i}" for i in range(len(scaled)))
        first, second = self.names[:2]
        head = Markup('<th scope="col">column</th><th scope="col">{}</th><th scope="col">{}</th><th>{}</th>').format(
            first, second, self.names[2] if len(self.names) > 2 else "difference"
        )
        rows = Markup("").join(
            Markup('<tr><th scope="row" title="{}">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>').format(
                names[i], names[i], _value(float(pair.first[i])), _value(float(pair.second[i])), _bar(scaled[i] / scale)
            )
            for i in order[:COLUMNS]
        )
        table = '<div class="scroll"><table class="columns"><caption>{}</caption><thead><tr>{}</tr></thead>'
        return Markup(table + "<tbody>{}</tbody></table></div>").format(pair.note, head, rows)


def _value(value: float) -> str:
    return "missing" if math.isnan(value) else number(value)


def _bar(share: float) -> Markup:
    share = max(-1.0, min(1.0, share)) if math.isfinite(share) else 0.0
    left, width = 50 + min(share, 0) * 50, abs(share) * 50
    side = "high" if share > 0 else "low"
    bar = '<span class="bar"><span class="{}" style="left:{}%;width:{}%"></span></span>'
    return Markup(bar).format(side, f"{left:.1f}", f"{width:.1f}")
