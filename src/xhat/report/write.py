"""Write: a run's report, one HTML file that needs nothing else."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xhat.core.errors import ArtifactError, require
from xhat.core.files import read_json, write_bytes
from xhat.data.dataset import Dataset
from xhat.models.artifact import describe, load
from xhat.models.fitted import Fitted
from xhat.report.evidence import Evidence, gather
from xhat.report.figure import Figure
from xhat.report.figures.codes import codes
from xhat.report.figures.curves import curves
from xhat.report.figures.pca import pca
from xhat.report.figures.rates import rates
from xhat.report.figures.reconstructions import reconstructions
from xhat.report.figures.samples import samples
from xhat.report.headline import headline
from xhat.report.templates import render
from xhat.report.words import flags
from xhat.runs.folder import RunFolder
from xhat.runs.reopen import reopen, split_of
from xhat.runs.verdict import units

FIGURES: tuple[Callable[[Evidence], Figure], ...] = (curves, reconstructions, codes, rates, pca, samples)


def report(run: Fitted | str | Path, data: Any = None, out: str | Path | None = None) -> Path:
    """Write a run's report: verdict and warnings first, then figures, then how it was made.

    Parameters
    ----------
    run : Fitted, str or Path
        A fitted model, or the folder of a finished run.
    data : Dataset or anything that `xhat.data.open` reads, optional
        What the run was fitted to. By default it is opened again from where it came from.
    out : path, optional
        The page's file. By default ``report.html`` in the run's folder; a `Fitted` needs one.

    Returns
    -------
    Path
        The file: below 5 MB, without scripts, and asking nothing of any network.

    Raises
    ------
    MissingFileError
        When there is no such run or its data has gone.
    ArtifactError
        When the data is not what the run was fitted to, the run was not finished, or the file cannot be written.
    ConfigError
        When `data` or `out` is needed and not given.
    """
    folder = None if isinstance(run, Fitted) else RunFolder(run)
    fitted = run if isinstance(run, Fitted) else load(run)
    who = "report" if folder is None else str(folder.path)
    hint = "give out=, the file to write"
    require(folder is not None or out is not None, who, "a model in memory has no folder", hint=hint)
    path = Path(out) if out is not None else RunFolder(str(run)).report
    hint = "continue an interrupted run: xhat fit --resume"
    require("error.model" in fitted.summary, who, "the model was never measured", hint=hint, error=ArtifactError)
    page = compose(fitted, reopen(fitted, data, who, "reported"), folder)
    write_bytes(path, page.encode())
    return path


def compose(fitted: Fitted, data: Dataset, folder: RunFolder | None = None) -> str:
    """Give the page of a fitted model and the data that it was fitted to."""
    evidence = gather(fitted, data, split_of(fitted, data))
    environment = read_json(folder.environment) if folder is not None and folder.environment.is_file() else {}
    figures = [figure(evidence) for figure in FIGURES]
    return render(
        "page.html.j2",
        filters={"flags": flags},
        head=headline(fitted),
        units=units(fitted.summary),
        figures=figures,
        widths=widths([figure.wide for figure in figures]),
        path="RUN" if folder is None else str(folder.path),
        place="RUN" if folder is None else shlex.quote(str(folder.path)),
        code_shape=", ".join(map(str, fitted.model.code_shape)),
        reads_labels=fitted.model.reads_labels,
        summary={key: value for key, value in fitted.summary.items() if key != "pca_curve"},
        configuration=json.dumps(describe(fitted), indent=2, ensure_ascii=False),
        environment=environment,
    )


def widths(wide: list[bool]) -> list[str]:
    """Give each figure its width: "wide", "half", or "alone" where no other half stands beside it."""
    found: list[str] = []
    for place, is_wide in enumerate(wide):
        if is_wide:
            found.append("wide")
        elif found and found[-1] == "open":
            found[-1:] = ["half", "half"]
        else:
            found.append("open" if place + 1 < len(wide) and not wide[place + 1] else "alone")
    return found
