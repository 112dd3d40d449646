"""Colouring: a colour for every row, by its label or its error, with the legend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib import colormaps
from matplotlib.colors import to_hex, to_rgba_array
from numpy.typing import NDArray

from xhat.report.evidence import Evidence
from xhat.report.words import number

# Neither light nor dark: they can be told from one another and from white and black paper.
TEN = ["#4e79a7", "#f28e2b", "#d1495b", "#3fa7a0", "#59a14f", "#c9a227", "#a668a0", "#e77fa0", "#9c755f", "#8a8f98"]
# More classes than these cannot be told apart by colour, nor read in a legend.
MOST = 30
SHORT = 10
FEWEST = 5


@dataclass(frozen=True, eq=False)
class Colouring:
    """Colours by a quantity.

    Parameters
    ----------
    rgba : array of shape (N, 4)
        A colour a row.
    by : str
        What it says.
    legend : Markup
        Its key.
    advice : str
        What to look for.
    """

    rgba: NDArray[np.float64]
    by: str
    legend: Markup
    advice: str


@dataclass(frozen=True, eq=False)
class Classes(Colouring):
    """Colours by class.

    Parameters
    ----------
    index : int array of shape (N,)
        The class of each row.
    names : list of str
        Short names, to be written into the picture.
    """

    index: NDArray[np.int64]
    names: list[str]

    def middles(self, xy: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Give each class's short name and the median of its points."""
        for place, name in enumerate(self.names):
            if (self.index == place).sum() < FEWEST:
                continue  # A name would hide what it names.
            yield name, np.median(xy[self.index == place], axis=0)


def colouring(evidence: Evidence, step: int) -> Colouring:
    """Colour every `step`-th validation row: by label, else by error."""
    y = evidence.data.y
    if y is None:
        errors = evidence.errors[::step].double().numpy()
        advice = "The data has no labels. Look for regions whose rows are copied badly."
        return _ramp(errors, "their reconstruction error", advice)
    values = y[evidence.rows[::step]].numpy()
    values = values[:, 0] if values.ndim > 1 else values
    kinds, index = np.unique(values, return_inverse=True)
    named = evidence.data.schema.labels
    if named is None and (len(kinds) > MOST or (values.dtype.kind == "f" and len(kinds) > len(TEN))):
        advice = "A colour that changes evenly across the picture means that the codes know the label."
        return _ramp(values.astype(np.float64), "their label", advice)
    names = [_name(float(kind), named) for kind in kinds]
    return _classes(index, names)


def _name(kind: float, named: tuple[str, ...] | None) -> str:
    if named and kind < len(named):
        return named[int(kind)] if kind >= 0 else "none"
    return number(kind)


def _ramp(values: NDArray[np.float64], by: str, advice: str) -> Colouring:
    # The ends of viridis vanish on dark or light paper; a few far values would leave the others one colour.
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, (2, 98)) if len(finite) else (0.0, 1.0)
    share = np.nan_to_num((values - low) / ((high - low) or 1.0)).clip(0, 1)
    map_ = colormaps["viridis"]
    stops = ",".join(to_hex(map_(x)) for x in np.linspace(0.15, 0.85, 6))
    legend = Markup(
        '<p class="ramp"><span>{}</span><i style="background:linear-gradient(90deg,{})"></i><span>{}</span></p>'
    )
    return Colouring(map_(0.15 + 0.7 * share), by, legend.format(number(low), stops, number(high)), advice)


def _classes(index: NDArray[np.int64], names: list[str]) -> Classes:
    colours = TEN[: len(names)]
    if len(names) > len(TEN):
        colours = [to_hex(colour) for colour in colormaps["turbo"](np.linspace(0.08, 0.92, len(names)))]
    counts = np.bincount(index, minlength=len(names))
    # Only what any font holds is written into the picture; other names are numbered, and the legend says which.
    plain = [len(name) <= SHORT and name.isascii() and name.isprintable() for name in names]
    short = [name if fits else f"#{i}" for i, (name, fits) in enumerate(zip(names, plain, strict=True))]
    if len(names) > MOST:
        short = []
    entries = list(enumerate(zip(colours, names, plain, counts, strict=True)))
    items = Markup("").join(
        Markup('<li><i style="background:{}"></i>{}{} <span>{:,}</span></li>').format(
            colour, "" if fits or len(names) > MOST else f"#{i} ", name, int(n)
        )
        for i, (colour, name, fits, n) in entries[:MOST]
    )
    more = f"and {len(names) - MOST} more classes" if len(names) > MOST else ""
    legend = Markup('<ul class="legend">{}</ul><p>{}</p>').format(items, more)
    advice = "Classes that lie apart can be told from the codes alone."
    rgba = to_rgba_array(colours)[index]
    return Classes(rgba, "their label", legend, advice, index, short)
