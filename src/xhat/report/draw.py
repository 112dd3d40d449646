"""Drawing: matplotlib's axes as inline SVG that takes the page's colours, in light and in dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from hashlib import blake2b

import matplotlib.style
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, SymmetricalLogLocator
from numpy.typing import NDArray

# Colours that nobody draws with stand for the page's own, so that a figure follows the reader's light or dark mode.
INK, MUTED, LINE, ACCENT, CARD = (f"#0102{i:02x}" for i in range(3, 8))
_NAMES = {INK: "ink", MUTED: "muted", LINE: "line", ACCENT: "accent", CARD: "card"}

STYLE = {
    "font.size": 12,
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",  # Text stays text: it can be read out, searched and set in the page's font.
    "svg.hashsalt": "xhat",  # The same run gives the same bytes.
}


def svg(draw: Callable[[Axes], None], alt: str, *, width: int = 430, height: int = 320) -> Markup:
    """Let `draw` fill axes, and give them as an inline SVG element.

    Parameters
    ----------
    draw : callable
        Draws into the axes that it gets, with the colours of this file.
    alt : str
        What the picture shows, for whoever cannot see it.
    width, height : int
        In CSS pixels, at the size at which text is meant to be read.
    """
    # A context, and a canvas without pyplot: a caller's own style and figures are as they were.
    with matplotlib.style.context(["default", STYLE]):
        canvas = Canvas(figsize=(width / 72, height / 72), layout="constrained")
        draw(canvas.add_subplot())
        out = io.StringIO()
        canvas.savefig(out, format="svg", dpi=180, metadata={"Date": None})
    return _inline(out.getvalue(), alt)


def _inline(text: str, alt: str) -> Markup:
    """Keep what HTML needs of an SVG file: no prologue, no metadata, names that no other figure uses."""
    box, body = re.search(r'<svg[^>]*viewBox="([^"]+)"[^>]*>(.*)</svg>', text, re.DOTALL).groups()  # type: ignore[union-attr]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body).replace("xlink:href", "href")
    key = blake2b(body.encode(), digest_size=4).hexdigest()
    body = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>f{key}", body)
    for colour, name in _NAMES.items():
        body = body.replace(colour, f"var(--{name})")
    body = re.sub(r">\s+<", "><", body.strip())
    head = Markup('<svg viewBox="{}" role="img" aria-label="{}">').format(box, alt)
    return head + Markup(body) + Markup("</svg>")


def scale_y(axes: Axes, values: NDArray[np.float64]) -> None:
    """Choose a scale on which all of `values` can be told apart: linear, logarithmic, or both about 0.

    Parameters
    ----------
    axes : Axes
        Whose y axis.
    values : array of shape (n,)
        What is drawn on it; NaN and infinities are passed over.
    """
    how, threshold = scale_of(values)
    if how == "log":
        finite = values[np.isfinite(values)]
        decades = np.log10(finite.max() / finite.min())
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2 else (1,), numticks=6))
    elif how == "symlog":
        axes.set_yscale("symlog", linthresh=threshold)
        axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=threshold))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, _: int | None) -> str:
    """Write a tick, exactly: 22.25 is no 22.2."""
    return f"{value:,.6g}".replace("-", "−", 1) if value < 0 else f"{value:,.6g}"


def scale_of(values: NDArray[np.float64]) -> tuple[str, float]:
    """Give "linear", "log" or "symlog", and where the last one's linear part ends."""
    finite = values[np.isfinite(values)]
    if not len(finite) or finite.max() == finite.min():
        return "linear", 0.0
    if finite.min() > 0:
        return ("log" if finite.max() / finite.min() > 30 else "linear"), 0.0
    low, high = np.percentile(finite, (10, 90))
    threshold = float(max(abs(low), abs(high)))
    # A few values far from all others would press these into one line.
    far = finite.max() - finite.min() > 20 * (high - low)
    return ("symlog", threshold) if far and threshold > 0 else ("linear", 0.0)
