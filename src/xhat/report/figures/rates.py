"""Rates: what every code dimension says."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from numpy import ndarray
from torch import Tensor

from xhat.metrics.active_units import ACTIVE, active_units
from xhat.report.draw import ACCENT, LINE, MUTED, scale_y, svg
from xhat.report.evidence import Evidence
from xhat.report.figure import Figure
from xhat.report.words import count, number

# More bars than this are thinner than a pixel or two.
BARS = 100
POINTS = 400


def rates(evidence: Evidence) -> Figure:
    """Draw the KL divergence of every code dimension, or its variance where codes are points."""
    active = active_units(evidence.z, prior_variance=evidence.fitted.shapes_prior)
    return _rates(evidence.kl, active) if evidence.kl is not None else _variances(evidence, active)


def _rates(kl: Float[Tensor, "Z"], active: Bool[Tensor, "Z"]) -> Figure:
    total = float(kl.sum())
    caption = (
        f"KL(q‖p) of every code dimension in nats, the largest first: {number(total)} nats a row in all, "
        f"{number(total / math.log(2))} bits. {_active(active)} A dimension near 0 tells nothing of its row: the "
        "decoder has learned to do without it."
    )
    body = svg(_bars(kl, active, "nats"), f"KL per code dimension; {_active(active)}", height=345)
    return Figure("Rate per dimension", caption, body)


def _variances(evidence: Evidence, active: Bool[Tensor, "Z"]) -> Figure:
    variance = evidence.z.double().var(0, correction=0)
    against = "the prior's" if evidence.fitted.shapes_prior else "the largest"
    caption = (
        f"Variance of every code dimension over validation rows, the largest first. {_active(active)} Active means "
        f"more than {ACTIVE:g} of {against}. Dimensions far below the others add little to the copy."
    )
    body = svg(
        _bars(variance.float(), active, "variance"), f"Variance per code dimension; {_active(active)}", height=345
    )
    return Figure("Variance per dimension", caption, body)


def _bars(values: Float[Tensor, "Z"], active: Bool[Tensor, "Z"], unit: str):  # type: ignore[no-untyped-def]
    order = values.argsort(descending=True)
    heights: Float[ndarray, "Z"] = values[order].double().numpy()
    alive = active[order].numpy()

    def draw(axes: Axes) -> None:
        places = np.arange(len(heights))
        if len(heights) <= BARS:
            axes.bar(places, heights, width=0.78, color=[ACCENT if a else MUTED for a in alive])
            if len(heights) <= 24:
                axes.set_xticks(places, [str(i) for i in order.tolist()])
            axes.set_xlabel("code dimension, by its number" if len(heights) <= 24 else "code dimension, sorted")
        else:
            some = np.unique(np.linspace(0, len(heights) - 1, POINTS).round().astype(int))
            axes.fill_between(some, heights[some], color=ACCENT, linewidth=0)
            axes.axvline(int(alive.sum()) - 0.5, color=LINE, linewidth=1)
            axes.set_xlabel("code dimension, sorted")
        scale_y(axes, heights)
        if axes.get_yscale() == "linear":
            axes.set_ylim(bottom=min(0.0, float(heights.min())))
        axes.set_ylabel(unit)
        axes.margins(x=0.02)

    return draw


def _active(active: Bool[Tensor, "Z"]) -> str:
    alive = int(active.sum())
    return f"{alive} of {count(len(active), 'dimension')} active (blue)." if alive else "No dimension is active."
