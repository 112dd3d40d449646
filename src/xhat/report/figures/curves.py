"""Curves: every term of the loss, epoch by epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from xhat.engine.history import History
from xhat.report.draw import ACCENT, INK, MUTED, scale_y, svg
from xhat.report.evidence import Evidence
from xhat.report.figure import Figure, empty
from xhat.report.words import count, number

TITLE = "Training"
CRITIC = "critic_"


@dataclass(frozen=True)
class Line:
    """One curve of a panel.

    Parameters
    ----------
    name : str
        "training", "validation", or a critic's term.
    points : list of tuple
        (epoch, value).
    """

    name: str
    points: list[tuple[int, float]]

    @property
    def values(self) -> list[float]:
        """The values, NaN where one is not finite: there the line stops."""
        return [value if math.isfinite(value) else math.nan for _, value in self.points]


def curves(evidence: Evidence) -> Figure:
    """Draw a panel a term: training and validation, and the epoch whose weights were kept."""
    history = evidence.fitted.history
    if not history.epochs:
        return empty(TITLE, "The run's metrics were not kept, so that there are no curves.")
    found = panels(history)
    size = (340, 235) if len(found) > 1 else (430, 250)
    drawn = [_panel(title, lines, history.best.epoch, size) for title, lines in found.items()]
    body = Markup('<div class="panels">{}</div>').format(Markup("").join(drawn))
    return Figure(TITLE, _caption(history), body, wide=len(found) > 1)


def panels(history: History) -> dict[str, list[Line]]:
    """Give the lines of each panel: one a term, one of the score where it is a sum, one of all terms of a critic."""
    terms = dict.fromkeys(t for part in ("validation", "train") for e in history.epochs for t in getattr(e, part))
    found: dict[str, list[Line]] = {}
    for term in terms:
        train, validation = Line("training", history.curve("train", term)), history.curve("validation", term)
        if term.startswith(CRITIC):
            found.setdefault("critic", []).append(Line(_words(term.removeprefix(CRITIC)), train.points))
        else:
            found[_words(term)] = [train, Line("validation", validation)]
    score = [(epoch.epoch, epoch.score) for epoch in history.epochs]
    if all(line.points != score for lines in found.values() for line in lines):
        found["score"] = [Line("validation", score)]
    return found


def _panel(title: str, lines: list[Line], best: int, size: tuple[int, int]) -> Markup:
    critic = title == "critic"

    def draw(axes: Axes) -> None:
        for place, line in enumerate(lines):
            strong = line.name == "validation"
            axes.plot(
                [epoch for epoch, _ in line.points],
                line.values,
                color=ACCENT if strong else MUTED,
                linewidth=2.2 if strong else 1.4,
                linestyle=(0, (4, 2)) if critic and place % 2 else "-",
                marker="o" if len(line.points) == 1 else "",  # A single point makes no line.
                label=line.name,
            )
        axes.axvline(best, color=MUTED, linewidth=1, linestyle=(0, (1, 2.5)))
        scale_y(axes, np.array([value for line in lines for value in line.values]))
        axes.set_title(title, pad=8)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.margins(x=0.02, y=0.08)
        if critic:
            axes.legend(frameon=False, labelcolor=INK, fontsize=11)

    ends = [f"{line.name} ends at {number(line.points[-1][1])}" for line in lines if line.points]
    return svg(draw, f"Curve of {title} by epoch: {', '.join(ends)}.", width=size[0], height=size[1])


def _words(term: str) -> str:
    return term.replace("_", " ")


def _caption(history: History) -> str:
    best, last = history.best.epoch, history.epochs[-1].epoch
    broken = sum(not all(map(math.isfinite, [*e.train.values(), *e.validation.values()])) for e in history.epochs)
    gaps = f" {count(broken, 'epoch')} with a term that is no number left gaps." if broken else ""
    fights = any(term.startswith(CRITIC) for e in history.epochs for term in e.train)
    game = (
        " The critic plays a game: 0.69 for each of its terms means that it cannot tell codes from the prior's draws."
    )
    return (
        f"Blue: validation; grey: training; dotted: epoch {best} of {last}, whose weights were kept. Epoch 0 is the "
        "state before training. A validation curve that turns up while training falls means overfitting; one that "
        f"still falls at the end, that more epochs would help.{game * fights}{gaps}"
    )
