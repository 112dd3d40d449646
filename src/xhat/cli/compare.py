"""``xhat compare``."""

from __future__ import annotations

import json as json_format
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xhat.cli.fit import ModelOptions, TrainOptions
from xhat.cli.options import DataOptions, Switch
from xhat.cli.run_file import read_changes
from xhat.core.errors import ConfigError, require

if TYPE_CHECKING:
    from xhat.runs.compare import Comparison, Line

SUFFIXES = (".json", ".csv", ".html")
WIDTHS = (6, 14, 12, 10, 10)


def compare(
    data: str,
    /,
    *,
    k: str = "2,8,32",
    out: Path | None = None,
    json: Switch = False,
    model: ModelOptions = ModelOptions(),
    train: TrainOptions = TrainOptions(),
    options: DataOptions = DataOptions(),
) -> None:
    """Compare PCA, Kernel PCA, NMF and a model, with k numbers a row each, by their copies of validation rows.

    Kernel PCA learns from 2,000 rows at most; NMF needs values >= 0, and learns from 10,000 at most.

    Parameters
    ----------
    data
        A file (.npy, .npz, .csv, .parquet), a folder of images, or a built-in name (digits, curves, sprites).
    k
        Numbers a row, one or several, as 2,8,32.
    out
        Keep the table, as .json, .csv, or .html with a figure.
    json
        Print it as JSON.
    """
    numbers = _numbers(k)
    hint = "as FILE.html"
    who = "" if out is None else f"'{out.suffix}'"
    require(out is None or out.suffix in SUFFIXES, "--out", f"must end in {', '.join(SUFFIXES)}", who, hint)
    for name, hint in (("latent", "give --k"), ("code", "codes are flat here")):
        require(getattr(model, name) is None, f"--{name}", "has no place in a comparison", hint=hint)
    from rich.console import Console

    from xhat.data.open import open as open_data
    from xhat.runs.compare import compare as compared

    choices = {name: getattr(model, name) for name in ("net", "likelihood", "scale", "init")}
    settings = {field.name: getattr(train, field.name) for field in fields(TrainOptions)}
    given = {name: value for name, value in (choices | settings).items() if value is not None}
    console = Console(highlight=False, stderr=json)
    opened = open_data(data, **options.as_arguments())
    told: list[Line] = []

    def tell(line: Line) -> None:
        if not told:
            console.print(_row("k", "method", "error", "of PCA's", "seconds"), style="bold", markup=False)
        told.append(line)
        ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
        console.print(_row(line.k, line.method, f"{line.error:.5g}", ratio, f"{line.seconds:.1f}"), markup=False)

    result = compared(
        opened,
        model.kind or "ae",
        k=numbers,
        overrides=read_changes(model.set),
        watch=tell,
        **given,
    )
    console.print(f"mean squared error of {result.validation:,} validation rows; the mean input's is {result.mean:.6g}")
    for note in result.notes:
        console.print(f"- {note}", markup=False)
    if out is not None:
        _write(result, out)
        console.print(f"written {out}", markup=False)
    if json:
        print(json_format.dumps(result.to_dict(), indent=2))


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError("--k", "must be whole numbers with commas between them", f"'{text}'", "as 2,8,32") from error


def _row(*cells: Any) -> str:
    k, method, *rest = (str(cell) for cell in cells)
    return f"{k:>{WIDTHS[0]}}  {method:<{WIDTHS[1]}}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(rest, WIDTHS[2:], strict=True)
    )


def _write(result: Comparison, out: Path) -> None:
    from xhat.core.files import write_bytes, write_json

    if out.suffix == ".json":
        write_json(out, result.to_dict())
    elif out.suffix == ".csv":
        import pandas

        write_bytes(out, pandas.DataFrame(result.to_dict()["lines"]).to_csv(index=False).encode())
    else:
        from xhat.report.comparison import write_comparison

        write_comparison(result, out)
