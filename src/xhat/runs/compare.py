"""Compare: this model beside PCA, Kernel PCA and NMF, on the same validation rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xhat.core.errors import require
from xhat.core.shapes import size
from xhat.data.open import open as open_data
from xhat.models.assemble import Net
from xhat.runs.fit import execute, train_settings
from xhat.runs.peers import PEERS, lacking, pca
from xhat.runs.plan import Plan, make_plan


@dataclass(frozen=True)
class Line:
    """A method with so many numbers a row.

    Parameters
    ----------
    method : str
        "PCA", "Kernel PCA", "NMF", or the model's kind.
    k : int
        Numbers a row.
    error : float
        Of copies of validation rows: mean squared error per element in the data's own units.
    ratio : float, optional
        Of PCA's error with as many numbers; none where PCA makes no error.
    seconds : float
        Of its fit, its choices and its measurement.
    rows : int
        How many it learned from.
    """

    method: str
    k: int
    error: float
    ratio: float | None
    seconds: float
    rows: int


@dataclass(frozen=True)
class Comparison:
    """What was compared, and what came of it.

    Parameters
    ----------
    data : str
        The data's name.
    kind : str
        The model's.
    validation : int
        Rows that are copied, and that none learned from.
    mean : float
        The mean input's error.
    lines : tuple of Line
        By k, then by method.
    notes : tuple of str
        Who was left out, and who learned from fewer rows.
    """

    data: str
    kind: str
    validation: int
    mean: float
    lines: tuple[Line, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give all of it in JSON's types."""
        return {**asdict(self), "lines": [asdict(line) for line in self.lines], "notes": list(self.notes)}

    def best(self, k: int) -> Line:
        """Give the line of the least error with k numbers."""
        return min((line for line in self.lines if line.k == k), key=lambda line: line.error)


def compare(
    data: Any,
    kind: str = "ae",
    *,
    k: Sequence[int] = (2, 8, 32),
    net: Net = "auto",
    likelihood: str | None = None,
    scale: str = "auto",
    init: str = "auto",
    overrides: Mapping[str, Any] | None = None,
    watch: Callable[[Line], None] | None = None,
    **settings: Any,
) -> Comparison:
    """Fit PCA, Kernel PCA, NMF and a model with k numbers a row each, and measure their copies of the same rows.

    Kernel PCA learns from 2,000 training rows at most and NMF, which needs values >= 0, from 10,000. The validation
    rows choose the model's epoch, and Kernel PCA's width and ridge as well.

    Parameters
    ----------
    data : array of shape (n_rows, ...), frame, path, built-in name or Dataset
        What `xhat.data.open` reads.
    kind : str, default="ae"
        The model's recipe.
    k : sequence of int, default=(2, 8, 32)
        Numbers a row; one that is not below the rank that training rows can have is left out.
    net, likelihood, scale, init, overrides
        As in `xhat.fit`.
    watch : callable, optional
        Gets each line as soon as it is measured.
    **settings
        As in `xhat.fit`.

    Returns
    -------
    Comparison
        With lines, notes and `to_dict`.

    Raises
    ------
    XhatError
        One line that says what is wrong with the data or the arguments.
    """
    whole = bool(k) and all(isinstance(number, int) and number >= 1 for number in k)
    require(whole, "compare", "k must be whole numbers >= 1", k, "as 2,8,32")
    dataset = open_data(data)
    told = train_settings(settings)

    numeric = dataset.schema.vocabulary is None and dataset.schema.mixed is None
    require(numeric, "compare", "needs rows of numbers", dataset.schema.name, "symbols and categories have no distance")
    choices: dict[str, Any] = {"net": net, "likelihood": likelihood, "scale": scale, "init": init}

    def planned(latent: int) -> Plan:
        return make_plan(dataset, kind, latent=latent, overrides=overrides, settings=told, **choices)

    plan = planned(1)
    rank = min(size(dataset.schema.shape), len(plan.split.train)) - 1
    asked = sorted(set(k))
    rule, hint = "k must leave something to compress", f"with these rows, at most {rank}"
    require(asked[0] <= rank, "compare", rule, asked[0], hint)
    lines: list[Line] = []
    out = lacking(plan)
    plain = pca(plan, 0).error
    for latent in (number for number in asked if number <= rank):
        plan = planned(latent)
        beside = 0.0
        for method, copied in PEERS.items():
            if method in out:
                continue
            start = time.perf_counter()
            found = copied(plan, latent)
            beside = found.error if method == "PCA" else beside
            _add(
                lines, Line(method, latent, found.error, _ratio(found.error, beside), _since(start), found.rows), watch
            )
        start = time.perf_counter()
        error = execute(plan).summary["error.model"]
        _add(lines, Line(kind, latent, error, _ratio(error, beside), _since(start), len(plan.split.train)), watch)
    notes = [f"{method} is left out: it {why}" for method, why in out.items()]
    large = ", ".join(str(number) for number in asked if number > rank)
    notes += [f"k = {large} is left out: it would compress nothing"] if large else []
    most = len(plan.split.train)
    fewer = {line.method: line.rows for line in lines if line.rows < most}
    notes += [f"{method} learned from {rows:,} of {most:,} rows" for method, rows in fewer.items()]
    return Comparison(dataset.schema.name, kind, len(plan.split.validation), plain, tuple(lines), tuple(notes))


def _add(lines: list[Line], line: Line, watch: Callable[[Line], None] | None) -> None:
    lines.append(line)
    if watch is not None:
        watch(line)


def _ratio(error: float, beside: float) -> float | None:
    return error / beside if beside > 0 else None


def _since(start: float) -> float:
    return time.perf_counter() - start
