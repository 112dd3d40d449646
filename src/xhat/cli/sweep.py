"""``xhat sweep``."""

from __future__ import annotations

import json as json_format
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from xhat.cli.fit import ModelOptions, TrainOptions
from xhat.cli.options import DataOptions, Switch
from xhat.cli.run_file import read_changes
from xhat.core.errors import ConfigError, require

if TYPE_CHECKING:
    from rich.console import Console

    from xhat.runs.fit_many import Many, Member

# Within these a comma belongs to the value.
OPENING, CLOSING = "[({", "])}"


def sweep(
    data: str,
    /,
    *,
    seeds: str = "1",
    folds: int | None = None,
    together: Annotated[bool, Parameter(negative="--one-by-one")] = True,
    out: Path | None = None,
    json: Switch = False,
    model: ModelOptions = ModelOptions(),
    train: TrainOptions = TrainOptions(),
    options: DataOptions = DataOptions(),
) -> None:
    """Train a model for each seed, fold and setting, at once where their shapes agree, and rank them.

    A --set with several values, as --set objective.beta=1,2,4 --set lr=1e-3,2e-3, tries all of them with all others.

    Parameters
    ----------
    data
        A file (.npy, .npz, .csv, .parquet), a folder of images, or a built-in name (digits, curves, sprites).
    seeds
        How many, or which, as 0,3,7.
    folds
        Leave out each of so many parts of the rows in turn, and rank by the errors of their copies.
    together
        Train models whose shapes agree in one program.
    out
        The folder for the runs and their table, new or empty. [default: runs/sweep-KIND-DATA]
    json
        Print the table as JSON.
    """
    rule, hint = "has no place in a sweep", "give --seeds"
    require(train.seed is None, "--seed", rule, hint=hint)
    from rich.console import Console

    from xhat.runs.fit_many import fit_many
    from xhat.runs.folder import RunFolder

    kind = (model.kind or "ae").replace("-", "_")
    grid, overrides = read_grid(model.set)
    records = (model, train)
    given = {f.name: getattr(record, f.name) for record in records for f in fields(record)}
    choices = {n: v for n, v in given.items() if v is not None and n not in ("kind", "set")}
    twice = sorted(set(grid) & set(choices))
    require(not twice, "--set", f"{', '.join(twice)} is given twice", hint="leave the option out")
    name = "".join(c if c.isalnum() else "-" for c in Path(data).stem)
    folder = RunFolder(out) if out is not None else RunFolder.next_free(f"sweep-{kind}-{name}")
    folder.refuse_occupied()
    told = Console(stderr=True, highlight=False)
    done: list[Member] = []
    with told.status("planning") as status:

        def progress(models: int, epoch: int, left: int) -> None:
            status.update(f"{models} models in one program: epoch {epoch}, {left} of them still train")

        def watch(member: Member) -> None:
            done.append(member)
            status.update(f"{len(done)} models are done")

        many = fit_many(
            data,
            kind,
            seeds=_seeds(seeds),
            grid=grid,
            folds=folds,
            together=together,
            overrides=overrides,
            opening=options.as_arguments(),
            out=folder.path,
            watch=watch,
            progress=progress,
            **choices,
        )
    if json:
        print(json_format.dumps({**many.to_dict(), "run": str(folder.path)}, indent=2))
        return
    _print(many, Console(highlight=False), folds is not None)
    print(f"runs    {folder.path}\nbest    {many.best.folder}")


def read_grid(texts: tuple[str, ...]) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Read ``PATH=VALUE,VALUE`` texts: those of several values, and settings of parts that all models have."""
    grid: dict[str, list[Any]] = {}
    fixed: dict[str, Any] = {}
    for text in texts:
        path, equals, values = text.partition("=")
        if not equals or not path.strip():
            raise ConfigError("--set", "must be PATH=VALUE,VALUE", f"'{text}'", "as objective.beta=1,2,4")
        parts = _parted(values)
        require(all(parts), "--set", "has an empty value", f"'{text}'", "as objective.beta=1,2,4")
        once = path.strip() not in grid and path.strip() not in fixed
        require(once, "--set", f"{path.strip()} is given twice", hint="give its values with commas")
        found = [read_changes([f"{path}={part}"])[path.strip()] for part in parts]
        if len(found) > 1 or "." not in path:
            grid[path.strip()] = found
        else:
            fixed[path.strip()] = found[0]
    return grid, fixed


def _parted(values: str) -> list[str]:
    """Part values at commas that stand in no bracket and no quotation."""
    parts, depth, quote = [""], 0, ""
    for letter in values:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        depth += (letter in OPENING) - (letter in CLOSING) if not quote else 0
        if letter == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _seeds(text: str) -> int | list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError as error:
        hint = "as 5, or 0,3,7"
        raise ConfigError("--seeds", "must be how many, or numbers with commas", f"'{text}'", hint) from error
    return numbers[0] if len(numbers) == 1 else numbers


def _print(many: Many, console: Console, folds: bool) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    names = list(many[0].choices)
    measured = "left-out error" if folds else "error"
    heads = [
        "run",
        *names,
        "seed",
        *(["fold"] if folds else []),
        measured,
        "of PCA's",
        "best epoch",
        "ended",
        "at once",
    ]
    for head in heads:
        table.add_column(head, justify="left" if head in ("run", "ended") else "right")
    for member in many:
        cells = [str(member.folder.name if member.folder else ""), *(_short(member.choices[n]) for n in names)]
        cells += [str(member.seed), *([str(member.fold)] if folds else [])]
        if member.done.fitted is None:
            cells += ["", "", "", member.done.status]
        else:
            summary = member.fitted.summary
            pca = summary["error.pca"]
            ratio = f"{summary['error.model'] / pca:.2f}" if pca > 0 else ""
            cells += [f"{member.score:.6g}", ratio, str(summary["best_epoch"]), member.done.status]
        table.add_row(*cells, str(member.done.together))
    console.print(table)
    ranked = many.standings()
    if len(many) > len(ranked) or len(ranked) > 1:
        summary_of = Table(box=None, padding=(0, 2, 0, 0))
        for head in [*names, f"mean {measured}", "spread", "models"]:
            summary_of.add_column(head, justify="right")
        for standing in ranked:
            cells = [_short(standing.choices[n]) for n in names]
            summary_of.add_row(*cells, f"{standing.mean:.6g}", f"{standing.std:.2g}", str(standing.count))
        console.print()
        console.print(summary_of)
    for why in dict.fromkeys(member.done.why for member in many if member.done.why):
        label = "diverged" if any(m.done.why == why and m.done.fitted is None for m in many) else "trained by itself"
        console.print(f"- {label}: {why}", markup=False)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
