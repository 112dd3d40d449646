"""PCA: its error for any number of components, and where this model stands."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from xhat.report.draw import ACCENT, INK, LINE, MUTED, scale_y, svg
from xhat.report.evidence import Evidence
from xhat.report.figure import Figure, empty
from xhat.report.words import number
from xhat.runs.verdict import numbers

TITLE = "Beside PCA"
# An exact copy has the error 0, or some 1e-30 of rounding: neither has a place on a logarithmic axis.
FLOOR = 1e-6


def pca(evidence: Evidence) -> Figure:
    """Draw error against k, with the model's point."""
    summary = evidence.fitted.summary
    points = sorted((int(k), float(error)) for k, error in summary["pca_curve"])
    code, error = numbers(summary), float(summary["error.model"])
    if not points or not np.isfinite([e for _, e in points] + [error]).all():
        return empty(TITLE, "PCA's errors or this model's are no numbers.")
    floor = FLOOR * points[0][1]
    place = np.log2(np.array([k for k, _ in points]) + 1.0)
    height = np.array([max(e, floor) for _, e in points])

    def draw(axes: Axes) -> None:
        axes.plot(place, height, color=MUTED, marker="o", markersize=5)
        x, y = np.log2(code + 1.0), max(error, floor)
        axes.axhline(y, color=LINE, linewidth=1.2)
        axes.plot([x], [y], color=ACCENT, marker="o", markersize=11)
        # On the side where the grey line is not.
        offset, va = (12, "bottom") if y > np.interp(x, place, height) else (-12, "top")
        axes.annotate(
            "this model", (x, y), (0, offset), textcoords="offset points", ha="center", va=va, color=INK, weight="bold"
        )
        scale_y(axes, np.append(height, y))
        axes.set_xticks(place, [str(k) for k, _ in points])
        of_code = "active dimensions of the code, on average" if "l0" in summary else "dimensions of the code"
        axes.set_xlabel(f"numbers a row: components of PCA, {of_code}")
        axes.set_ylabel("mean squared error")
        axes.margins(x=0.08, y=0.16)

    alt = (
        f"PCA's error falls from {number(points[0][1])} at 0 components to {number(points[-1][1])} at {points[-1][0]}; "
    )
    alt += f"this model reaches {number(error)} with {code}."
    exact = (
        " Errors below a millionth of the mean input's are drawn there." if min(e for _, e in points) < floor else ""
    )
    caption = (
        f"Grey: PCA on the same rows, from 0 components (the mean input) up; blue: this model. {_equal(points, error)} "
        f"A point below the grey line earns its nonlinearity.{exact}"
    )
    return Figure(TITLE, caption, svg(draw, alt, height=325))


def _equal(points: list[tuple[int, float]], error: float) -> str:
    """Say how many components copy as well."""
    if error >= points[0][1]:
        return "Even the mean input is a better copy than the model's."
    if error < points[-1][1]:
        return f"PCA would need more than {points[-1][0]} components for the same error."
    for (k, above), (more, below) in pairwise(points):
        if below <= error <= above:
            share = (above - error) / (above - below) if above > below else 0.0
            return f"PCA reaches the same error with about {round(k + share * (more - k))} components."
    return ""
