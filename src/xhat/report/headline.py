"""The headline: what a run's summary says before any figure does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xhat.data.schema import Schema
from xhat.models.fitted import Fitted
from xhat.report.words import count, number, shape
from xhat.runs.verdict import EXACT, LIKELY, advice, numbers, verdict

NOUNS = {
    "image": "images of",
    "table": "rows of a table, each",
    "series": "series of",
    "tokens": "rows of symbols, each",
    "array": "arrays of",
}
GRAVE = ("posterior collapse", "discriminator wins")
MODELS = (("model", "this model"), ("pca", "PCA, as many numbers"), ("mean", "the mean input"))


@dataclass(frozen=True)
class Bar:
    """An error beside the others.

    Parameters
    ----------
    name : str
        Whose.
    value : str
        The error in words.
    percent : float
        Its length, of the longest.
    ratio : str
        The error over PCA's; empty for PCA itself.
    """

    name: str
    value: str
    percent: float
    ratio: str


@dataclass(frozen=True)
class Headline:
    """The page's first screen.

    Parameters
    ----------
    title : str
        Recipe on data.
    subtitle : str
        What the data and the model are.
    tone : {"good", "fair", "poor"}
        How the verdict is to be taken.
    verdict : str
        A sentence or two.
    advice : list of str
        What to know before trusting the model.
    errors : list of Bar
        The model's, PCA's and the mean input's.
    numbers : list of tuple
        (name, value, remark).
    """

    title: str
    subtitle: str
    tone: str
    verdict: str
    advice: list[str]
    errors: list[Bar]
    numbers: list[tuple[str, str, str]]


def headline(fitted: Fitted) -> Headline:
    """Put a summary into words."""
    summary, schema, origin = fitted.summary, fitted.schema, fitted.origin
    recipe, net = origin.get("recipe", "own"), origin.get("net", "own")
    fewer = "fewer active numbers a row" if "l0" in summary else "fewer numbers a row"
    who = "A model of your own" if recipe == "own" else recipe
    what = "" if net == "own" else f"{net} net; "
    return Headline(
        title=f"{who} on {schema.name}",
        subtitle=(
            f"{origin.get('rows', 0):,} {_rows(schema)}; {what}"
            f"code of {count(summary['code'], 'number')}; objective: {objective_name(fitted)}."
        ),
        tone=tone(summary),
        verdict=verdict(summary),
        advice=advice(summary),
        errors=_errors(summary),
        numbers=[
            ("Code", f"{summary['code']}", f"{summary['active']} active"),
            ("Compression", f"{number(_values(schema) / numbers(summary))}×", fewer),
            ("Parameters", _big(summary["parameters"]), f"{summary['parameters']:,}"),
            ("Epochs", f"{summary['epochs']}", f"{summary['status']}; best: {summary['best_epoch']}"),
            ("Time", f"{number(summary['seconds'])} s", "of training"),
            ("Rows", _big(summary["rows.train"]), f"and {summary['rows.validation']:,} to validate"),
        ],
    )


def _rows(schema: Schema) -> str:
    if schema.mixed is None:
        return f"{NOUNS[schema.kind]} {shape(schema.shape)}"
    return f"rows of a table of {count(len(schema.mixed), 'column')}, {count(math.prod(schema.shape), 'element')} each"


def _values(schema: Schema) -> int:
    """Count a row's values: of a category one, however many elements stand for it."""
    return math.prod(schema.shape) if schema.mixed is None else len(schema.mixed)


def objective_name(fitted: Fitted) -> str:
    """Name the objective by its file."""
    return str(fitted.objective["kind"]).rpartition("/")[2].replace("_", " ")


def tone(summary: Mapping[str, Any]) -> str:
    """Give "good" where the model does as well as PCA, "fair" where it beats the mean input, else "poor".

    A collapse is never good, and a model that predicts instead of copying, or makes columns likely, is not held against
    PCA.
    """
    model, pca, mean = (summary[f"error.{name}"] for name in ("model", "pca", "mean"))
    collapsed = any(finding["what"] in GRAVE for finding in summary.get("findings", []))
    good = model < mean if summary.get("ancestral") or summary.get("likelihood") == LIKELY else model <= pca
    return "good" if good and not collapsed else "fair" if model < mean else "poor"


def _errors(summary: Mapping[str, Any]) -> list[Bar]:
    errors = [float(summary[f"error.{key}"]) for key, _ in MODELS]
    longest = max((e for e in errors if math.isfinite(e)), default=0.0) or 1.0
    pca = errors[1]
    return [
        Bar(
            name,
            number(error),
            100 * min(error / longest, 1.0) if math.isfinite(error) else 0.0,
            f"{number(error / pca)} of PCA's" if key != "pca" and pca > EXACT * errors[2] else "",
        )
        for (key, name), error in zip(MODELS, errors, strict=True)
    ]


def _big(n: int) -> str:
    """Write 333,384 as 333 k."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if n >= size:
            return f"{n / size if unit != ' k' else n / 1e3:.3g}{unit}"
    return f"{n:,}"
