"""Rows of tables: the columns that differ most."""

from __future__ import annotations

import math
from typing import ClassVar

from markupsafe import Markup

from xhat.report.rows._columns import Line, column_table, which
from xhat.report.rows.view import Group, Pair, RowView
from xhat.report.words import number


class Tables(RowView):
    """A small table for each pair, with a bar for each difference."""

    counts: ClassVar[tuple[int, int, int]] = (1, 1, 1)
    samples: ClassVar[tuple[int, int]] = (3, 1)
    narrow: ClassVar[bool] = False
    arrangement: ClassVar[str] = "thirds"

    def reading(self, scale: float) -> str:
        """Say which columns are shown, and what the bars measure."""
        shown = which(self.shape[0])
        return f"{shown}, the most different first; bars go to the right where the {self.names[1]} is greater."

    def group(self, group: Group, scale: float) -> Markup:
        """Show one table a pair."""
        return Markup("").join(self._table(pair, scale) for pair in group.pairs)

    def _table(self, pair: Pair, scale: float) -> Markup:
        scaled = self.scaled(pair).tolist()
        names = self.schema.columns or tuple(f"column {i}" for i in range(len(scaled)))
        lines = [
            Line(name, _value(float(first)), _value(float(second)), difference / scale)
            for name, first, second, difference in zip(names, pair.first, pair.second, scaled, strict=True)
        ]
        return column_table(pair.note, self.names, lines)


def _value(value: float) -> str:
    return "missing" if math.isnan(value) else number(value)
