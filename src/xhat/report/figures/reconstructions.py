"""Reconstructions: the best, the median and the worst copies."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from xhat.report.evidence import Evidence
from xhat.report.figure import Figure
from xhat.report.rows.choose import view_for
from xhat.report.rows.view import Group, Pair
from xhat.report.words import number

NAMES = ("input", "reconstruction", "error")


def reconstructions(evidence: Evidence) -> Figure:
    """Show inputs, their copies and the errors, chosen by error and not by hand."""
    view = view_for(evidence, NAMES)
    groups = [
        Group(title, _pairs(evidence, places))
        for title, places in zip(("Best", "Median", "Worst"), choose(evidence.errors, view.counts), strict=True)
    ]
    scale = max((view.scale(pair) for group in groups for pair in group.pairs), default=1.0)
    caption = (
        f"Rows that the model never learned from, chosen by their error among {len(evidence.errors):,} validation "
        f"rows; row numbers count from 0. {view.reading(scale)} Errors are means over a row, {evidence.unit_words}. "
        "Look at the worst: rows of a rare kind, mislabelled or broken ones gather there."
    )
    return Figure("Reconstructions", caption, view.html(groups), wide=True)


def choose(errors: Float[Tensor, "N"], counts: tuple[int, int, int]) -> tuple[list[int], list[int], list[int]]:
    """Give places of the best, the median and the worst rows; none comes twice, and the worst go first."""
    order = torch.nan_to_num(errors, nan=torch.inf).argsort(stable=True).tolist()
    best, median, worst = counts
    last = order[::-1][:worst]
    first = [place for place in order[:best] if place not in last]
    start = max((len(order) - median) // 2, 0)
    middle = [place for place in order[start : start + median] if place not in first + last]
    return first, middle, last


def _pairs(evidence: Evidence, places: list[int]) -> list[Pair]:
    if not places:
        return []
    rows = evidence.rows[torch.tensor(places)]
    inputs, copies = evidence.inputs(rows), evidence.copies(rows)
    return [
        Pair(x, copy, f"row {int(row)}", f"error {number(float(evidence.errors[place]))}")
        for x, copy, row, place in zip(inputs, copies, rows, places, strict=True)
    ]
