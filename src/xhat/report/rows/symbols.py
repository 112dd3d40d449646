"""Rows of symbols: numbers in a row, the wrong ones marked."""

from __future__ import annotations

import math
from typing import ClassVar

from markupsafe import Markup

from xhat.report.rows.view import Group, Pair, RowView

SHOWN = 96
# Symbols that leave no mark on a page.
VISIBLE = {"\n": "↵", "\t": "⇥", "\r": "␍"}


class Symbols(RowView):
    """Each pair as two lines of text."""

    samples: ClassVar[tuple[int, int]] = (2, 2)
    narrow: ClassVar[bool] = False

    def reading(self, scale: float) -> str:
        """Say what marks mean."""
        cut = f" The first {SHOWN} symbols are shown." if math.prod(self.shape) > SHOWN else ""
        return f"Marked: symbols that differ.{cut}"

    def group(self, group: Group, scale: float) -> Markup:
        """Show pairs one under the other."""
        return Markup("").join(self._pair(pair) for pair in group.pairs)

    def _pair(self, pair: Pair) -> Markup:
        first, second = (self._words(row.flatten()[:SHOWN].tolist()) for row in (pair.first, pair.second))
        wrong = [a != b for a, b in zip(first, second, strict=True)]
        lines = Markup("").join(
            Markup("<dt>{}</dt><dd>{}</dd>").format(name, _text(line, marks))
            for name, line, marks in ((self.names[0], first, [False] * len(wrong)), (self.names[1], second, wrong))
        )
        return Markup('<div class="symbols"><p>{}</p><dl>{}</dl></div>').format(pair.note, lines)

    def _words(self, symbols: list[float]) -> list[str]:
        """Read numbers as the vocabulary's symbols, where there is one."""
        names = self.schema.vocabulary
        if names is None or self.schema.symbols == "numbers":
            return ["missing" if math.isnan(symbol) else f"{symbol:g}" for symbol in symbols]
        return [VISIBLE.get(names[int(symbol)], names[int(symbol)]) for symbol in symbols]


def _text(words: list[str], marks: list[bool]) -> Markup:
    between = Markup("" if all(len(word) == 1 for word in words) else " ")
    return between.join(
        Markup("<mark>{}</mark>").format(word) if mark else Markup("{}").format(word)
        for word, mark in zip(words, marks, strict=True)
    )
