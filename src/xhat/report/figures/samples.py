"""Samples: drawn from the prior, beside the training rows that they resemble most."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.shapes import size
from xhat.data.mixed import clipped
from xhat.engine.randomness import private_randomness
from xhat.models.fitted import Fitted
from xhat.report.evidence import Evidence
from xhat.report.figure import Figure, empty
from xhat.report.nearest import nearest
from xhat.report.rows.choose import view_for
from xhat.report.rows.view import Group, Pair
from xhat.report.words import number

TITLE = "Samples"
SAMPLES = 8
# Validation rows whose own nearest training rows tell how near is usual.
UNSEEN = 64
# Values of training rows that are searched at most; of more, evenly spaced rows.
VALUES = 250_000_000


def samples(evidence: Evidence) -> Figure:
    """Draw new rows and look for where they came from."""
    fitted = evidence.fitted
    with private_randomness(int(fitted.origin.get("settings", {}).get("seed", 0))), torch.inference_mode():
        drawn = _drawn(fitted)  # (S, *X), scaled
        if not bool(drawn.isfinite().all()):
            return empty(TITLE, "What the model draws from its prior is no number.")
        unseen = next(iter(fitted.batches(evidence.data, evidence.rows[:: -(-len(evidence.rows) // UNSEEN)])))
        train = evidence.train[:: -(-len(evidence.train) * size(fitted.schema.shape) // VALUES)]
        queries = _stack(Batch(drawn), unseen)
        found = train[nearest(queries, fitted.batches(evidence.data, train), symbols=evidence.symbols)]
        near = next(iter(fitted.batches(evidence.data, found)))
        gaps = _gaps(queries, near, evidence)
        rows = fitted.scaling.inverse(drawn).cpu()
    own, usual = gaps[:SAMPLES], float(gaps[SAMPLES:].median())
    pairs = [
        Pair(row, other, f"row {int(place)}", f"distance {number(float(gap))}")
        for row, other, place, gap in zip(rows, evidence.inputs(found[:SAMPLES]), found, own, strict=False)
    ]
    view = view_for(evidence, ("sample", "nearest row"))
    number_of, each = view.samples
    groups = [Group("", pairs[i * each : (i + 1) * each]) for i in range(number_of)]
    caption = f"{_source(evidence)} {view.reading(1.0)} {_near(float(own.median()), usual, evidence)}"
    return Figure(TITLE, caption, view.html(groups), wide=not view.narrow)


def _drawn(fitted: Fitted) -> Tensor:
    """Draw as `Fitted.sample` does: means, but of mixed tables rows, for categories have no mean."""
    if fitted.schema.mixed is None:
        return fitted.model.sample(SAMPLES, from_prior=fitted.shapes_prior)
    rows = fitted.scaling.inverse(fitted.model.draw(SAMPLES).sample()).cpu().numpy()
    return fitted.scaling(torch.from_numpy(clipped(rows, fitted.schema.mixed)).to(fitted.device))


def _stack(drawn: Batch, rows: Batch) -> Batch:
    mask = None
    if rows.mask is not None:
        mask = torch.cat([torch.ones_like(drawn.x, dtype=torch.bool), rows.mask.expand_as(rows.x)])
    return Batch(torch.cat([drawn.x, rows.x]), mask=mask)


def _gaps(queries: Batch, near: Batch, evidence: Evidence) -> Tensor:
    """Give the distance of each query to its own row, exactly, one pair after the other."""
    masks = [batch.mask.expand_as(batch.x) if batch.mask is not None else None for batch in (queries, near)]
    known = torch.ones_like(queries.x, dtype=torch.bool)
    for mask in masks:
        known = known if mask is None else known & mask
    wrong = (queries.x != near.x).double() if evidence.symbols else (queries.x.double() - near.x.double()) ** 2
    means = (wrong * known).flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)
    return (means if evidence.symbols else means.sqrt() * evidence.unit).cpu()


def _source(evidence: Evidence) -> str:
    if evidence.fitted.schema.mixed is not None:
        prior = "the prior" if evidence.fitted.shapes_prior else "a distribution fitted to the codes after training"
        return (
            f"New rows: codes drawn from {prior}, then each column from its own distribution. Each stands beside the "
            "training row that it resembles most."
        )
    if evidence.fitted.shapes_prior:
        return "New rows, decoded from draws of the prior, each beside the training row that it resembles most."
    return (
        "New rows, decoded from draws of a distribution that was fitted to the codes after training, each beside the "
        "training row that it resembles most."
    )


def _near(own: float, usual: float, evidence: Evidence) -> str:
    kind = "share of symbols that differ" if evidence.symbols else "root of the mean squared difference"
    where = "" if evidence.symbols else f", {evidence.unit_words}"
    said = f"Distance: {kind}{where}; {number(own)} in the median, where unseen real rows lie at {number(usual)}. "
    ratio = own / usual if usual else math.inf if own else 1.0
    if ratio < 0.5:
        return said + "Samples much nearer than unseen rows are copies of training rows, or too smooth: compare by eye."
    if ratio > 1.25:
        return said + "Samples that lie farther off than unseen rows are unlike the data: trust them little."
    return (
        said
        + "Samples lie about as near to training rows as unseen rows do: by this measure neither copies nor strange."
    )
