"""Rows of mixed tables: their own columns, whose categories are named."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

import torch
from jaxtyping import Float
from markupsafe import Markup
from torch import Tensor

from xhat.data.column import Column
from xhat.data.mixed import blocks
from xhat.report.rows._columns import Line, column_table, which
from xhat.report.rows.view import Group, Pair, RowView
from xhat.report.words import number

# A probability that is as good as one is not worth its digits.
SURE = 0.995


class MixedTables(RowView):
    r"""A small table for each pair, with a bar for each column.

    The difference of a number is that in what the model sees, with its sign. Of a category it is that of both blocks,

    .. math:: d = \sqrt{\tfrac12 \sum_v (p_v - q_v)^2} \in [0, 1]

    """

    counts: ClassVar[tuple[int, int, int]] = (1, 1, 1)
    samples: ClassVar[tuple[int, int]] = (3, 1)
    narrow: ClassVar[bool] = False
    arrangement: ClassVar[str] = "thirds"

    def reading(self, scale: float) -> str:
        """Say which columns are shown, and what the bars measure."""
        shown, other = which(len(self.schema.mixed or ())), self.names[1]
        return (
            f"{shown}, the most different first; bars go to the right where the {other}'s number is greater, and where "
            "a category differs, of which the likeliest is named with its probability."
        )

    def group(self, group: Group, scale: float) -> Markup:
        """Show one table a pair."""
        return Markup("").join(column_table(p.note, self.names, list(self._lines(p, scale))) for p in group.pairs)

    def _lines(self, pair: Pair, scale: float) -> Iterator[Line]:
        scaled = self.scaled(pair)
        for column, block in blocks(self.schema.mixed or ()):
            first, second, off = pair.first[block], pair.second[block], scaled[block]
            signed = float(off[0]) if column.categories is None else math.sqrt(0.5 * float((off**2).sum()))
            yield Line(column.name, _said(first, column), _said(second, column), signed / scale)


def _said(values: Float[Tensor, "W"], column: Column) -> str:
    if bool(values.isnan().any()):
        return "missing"
    if column.categories is None:
        return number(round(float(values[0])) if column.whole else float(values[0]))
    p, place = torch.max(values, 0)
    name = str(column.categories[int(place)])
    return name if float(p) > SURE else f"{name} {100 * float(p):.0f}\N{NO-BREAK SPACE}%"
