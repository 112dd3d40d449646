"""Series and other arrays: two lines over one another."""

from __future__ import annotations

import math
from itertools import groupby

import torch
from jaxtyping import Float
from markupsafe import Markup
from torch import Tensor

from xhat.report.rows.view import Group, Pair, RowView
from xhat.report.words import number

WIDTH, HEIGHT, EDGE = 360, 84, 3
# A line has no more points than a screen can show.
POINTS = 720
# Variables of one series that are drawn: those that differ most.
VARIABLES = 3


class Lines(RowView):
    """Each pair as small line plots, one a variable."""

    def reading(self, scale: float) -> str:
        """Tell the lines apart."""
        several = self._variables() > VARIABLES
        which = f" Of {self._variables()} variables, the {VARIABLES} that differ most are drawn." if several else ""
        return f"Grey: {self.names[0]}; blue: {self.names[1]}.{which} Each plot has a scale of its own."

    def group(self, group: Group, scale: float) -> Markup:
        """Show plots one under the other."""
        return Markup("").join(self._plots(pair) for pair in group.pairs)

    def _variables(self) -> int:
        return self.shape[1] if self.schema.kind == "series" and len(self.shape) == 2 else 1

    def _plots(self, pair: Pair) -> Markup:
        shape = (-1, self._variables())
        first, second = pair.first.reshape(shape), pair.second.reshape(shape)  # (T, D)
        errors = (self.scaled(pair).reshape(shape) ** 2).mean(0)
        plots = []
        for place in errors.argsort(descending=True)[:VARIABLES].tolist():
            label = f"{pair.note}, variable {place}" if self._variables() > 1 else pair.note
            plots.append(self._plot(first[:, place], second[:, place], label))
        return Markup("").join(plots)

    def _plot(self, first: Float[Tensor, "T"], second: Float[Tensor, "T"], label: str) -> Markup:
        step = -(-len(first) // POINTS)
        both = torch.stack([first[::step], second[::step]])
        finite = both[both.isfinite()]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        lines = Markup("").join(
            Markup('<path class="{}" d="{}"/>').format(name, _path(line.tolist(), low, high))
            for name, line in zip(("first", "second"), both, strict=True)
        )
        span = f"{number(low)} to {number(high)}"
        alt = f"{self.names[0]} and {self.names[1]}: {label}"
        box = '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
        picture = Markup(box).format(WIDTH, HEIGHT, alt, lines)
        return Markup('<div class="line">{}<p>{}<span>{}</span></p></div>').format(picture, label, span)


def _path(values: list[float], low: float, high: float) -> str:
    """Draw a line that stops where nothing was observed and starts again behind it."""
    across = (WIDTH - 2 * EDGE) / max(len(values) - 1, 1)
    up = (HEIGHT - 2 * EDGE) / ((high - low) or 1.0)
    parts = []
    for known, run in groupby(enumerate(values), key=lambda point: math.isfinite(point[1])):
        if known:
            points = [f"{EDGE + i * across:.1f} {HEIGHT - EDGE - (value - low) * up:.1f}" for i, value in run]
            # A point alone is a line of no length, which round caps make visible.
            parts.append("M" + "L".join(points if len(points) > 1 else points * 2))
    return "".join(parts)
