"""``xhat fit``."""

from __future__ import annotations

import json as json_format
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from cyclopts import Parameter

from xhat.cli.launch import launch, speaks, wanted
from xhat.cli.options import DataOptions, Switch
from xhat.cli.run_file import read_changes, read_run_file
from xhat.core.errors import ConfigError, require

if TYPE_CHECKING:
    from xhat.models.fitted import Fitted
    from xhat.runs.plan import Plan


@Parameter(name="*")
@dataclass(frozen=True)
class ModelOptions:
    """What to train.

    Parameters
    ----------
    kind
        The recipe: ae, dae, vae, aae, restoration-prior; `xhat parts recipes` lists them. [default: ae]
    net
        The architecture of encoder and decoder: mlp, conv, linear; `xhat parts nets` lists them. [default: auto]
    latent
        Code dimensions. [default: 16]
    code
        flat, or spatial for a grid of vectors, with as many numbers as --latent at each place. [default: flat]
    likelihood
        The distribution of data; `xhat parts likelihoods` lists them. [default: the recipe's]
    scale
        none, unit, global, standard or range. [default: unit for images, standard for
        tables with categories, global for all else]
    init
        random; pca to begin exactly at PCA; greedy to train layer by layer first. [default: pca for ae and dae on
        tables and images, random for all else]
    set
        Change a part's setting, as objective.beta=4, net.hidden=[256,64] or, of the recipe itself, recipe.clusters=20.
        May be given many times.
    """

    kind: Annotated[str | None, Parameter(name=("--kind", "--recipe"), negative=())] = None
    net: str | None = None
    latent: int | None = None
    code: str | None = None
    likelihood: str | None = None
    scale: str | None = None
    init: str | None = None
    set: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = ()


@Parameter(name="*")
@dataclass(frozen=True)
class TrainOptions:
    """How to train it.

    Parameters
    ----------
    epochs
        Passes over the data. [default: chosen by its size]
    batch_size
        Rows a step. [default: chosen by the data's size]
    lr
        Peak learning rate. [default: 2e-3]
    weight_decay
        Decay of weights. [default: 1e-2]
    patience
        Epochs without a better validation loss before it stops. [default: a third of the epochs]
    seed
        Of every random draw. [default: 0]
    device
        auto, cpu, cuda. [default: auto]
    precision
        Of the nets' products: 32, bf16, 16 (float16, where the device has it), or auto for bf16 where the device gains
        from it. [default: 32]
    compile
        Whether steps are compiled as a whole: on, off, or auto where the run is long enough to earn back what that
        takes. [default: auto]
    accumulate
        Take a step's gradient from so many parts of its batch, one after another: less memory. [default: 1]
    gradient_checkpointing
        Forget what nets computed inside, and compute it again on the way back: less memory, more time.
    fsdp
        Divide the nets' weights among the processes: for nets that are too large for one device to train.
    """

    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    weight_decay: float | None = None
    patience: int | None = None
    seed: int | None = None
    device: str | None = None
    precision: str | None = None
    compile: str | None = None
    accumulate: int | None = None
    gradient_checkpointing: Switch = False
    fsdp: Switch = False


def fit(
    data: str | None = None,
    /,
    *,
    out: Path | None = None,
    config: Path | None = None,
    resume: Path | None = None,
    dry_run: Switch = False,
    json: Switch = False,
    verbose: Switch = False,
    processes: int | None = None,
    model: ModelOptions = ModelOptions(),
    train: TrainOptions = TrainOptions(),
    options: DataOptions = DataOptions(),
) -> int:
    """Train an autoencoder, compare it with PCA, and write its run folder.

    Parameters
    ----------
    data
        A file (.npy, .npz, .csv, .parquet), a folder of images, or a built-in name (digits, curves, sprites).
    out
        The run's folder, new or empty. [default: runs/KIND-DATA]
    config
        A TOML file with these options; an option on the command line goes first.
    resume
        Continue an interrupted run exactly where it stopped.
    dry_run
        Say what would be trained and how long it would take; write nothing.
    json
        Print the summary as JSON.
    verbose
        Say how finely nets compute, and whether steps are compiled and why.
    processes
        Train in so many processes on this machine, each on a GPU of its own or on its share of the cores; several
        machines are started by accelerate launch -m xhat fit. [default: 1]
    """
    many = wanted(processes)
    if resume is not None:
        given = (data, out, config, dry_run, model, train, options)
        alone = given == (None, None, None, False, ModelOptions(), TrainOptions(), DataOptions())
        require(alone, "--resume", "takes no other options but --json and --processes: the run knows them")
        if many:
            return launch(processes or 1)
        return _report(_resumed(resume), resume, json)
    chosen, changes = _merged(data, out, config, model, train, options)
    if chosen.get("data") is None:
        raise ConfigError("fit", "needs data", hint="as in: xhat fit digits, or xhat fit table.csv --kind vae")
    if many and not dry_run:
        return launch(processes or 1)
    plan = _plan(chosen, changes, options)
    if verbose and speaks():
        from xhat.runs.estimate import decisions

        print(decisions(plan), file=sys.stderr)  # what --json prints stays JSON
    if dry_run:
        return _print_plan(plan, json)
    from xhat.engine.progress import ProgressBar
    from xhat.runs.fit import execute
    from xhat.runs.folder import RunFolder

    if plan.data.streams and not json:
        print(f"{plan.data.schema.name} {plan.data.reading}")
    folder = RunFolder(chosen["out"]) if "out" in chosen else RunFolder.next_free(_stem(plan))
    return _report(execute(plan, out=folder.path, hooks=[ProgressBar()]), folder.path, json)


def _merged(
    data: str | None,
    out: Path | None,
    config: Path | None,
    *records: ModelOptions | TrainOptions | DataOptions,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Lay the command line's options over the file's."""
    given: dict[str, Any] = {"data": data, "out": out}
    for record in records:
        given |= {f.name: getattr(record, f.name) for f in fields(record)}
    texts = given.pop("set")
    chosen, changes = read_run_file(config, _types(*records)) if config is not None else ({}, {})
    chosen |= {name: value for name, value in given.items() if value is not None and value is not False}
    return chosen, changes | read_changes(texts)


def _types(*records: object) -> dict[str, Any]:
    """Name the type of every option that a file may hold."""
    types: dict[str, Any] = {"data": str, "out": str}
    for record in records:
        types |= get_type_hints(type(record))
    types.pop("set")
    return types


def _plan(chosen: dict[str, Any], changes: dict[str, Any], options: DataOptions) -> Plan:
    from xhat.data.open import open as open_data
    from xhat.models.habits import habits
    from xhat.runs.fit import train_settings
    from xhat.runs.plan import make_plan

    asked = ("kind", "net", "latent", "code", "likelihood", "scale", "init")
    parts = {name: chosen[name] for name in asked if name in chosen}
    if "kind" in parts:
        parts["kind"] = parts["kind"].replace("-", "_")
    usual, data = habits(parts.get("kind", "ae")), str(chosen["data"])
    given = DataOptions(**{f.name: chosen[f.name] for f in fields(options) if f.name in chosen}).as_arguments()
    # A size is another way to make rows of pictures.
    opening = {**({} if "size" in given else usual.opening(data)), **given}
    own = {f.name: chosen[f.name] for f in fields(TrainOptions) if f.name in chosen}
    settings = train_settings({**usual.settings, **own})
    return make_plan(
        open_data(data, **opening), **parts, overrides=changes, settings=settings, source={"path": data, **opening}
    )


def _resumed(path: Path) -> Fitted:
    from xhat.engine.progress import ProgressBar
    from xhat.runs.fit import resume

    return resume(path, hooks=[ProgressBar()])


def _stem(plan: Plan) -> str:
    name = "".join(c if c.isalnum() else "-" for c in Path(plan.data.schema.name).stem)
    return f"{plan.origin['recipe']}-{name}"


def _report(fitted: Fitted, path: Path, json: bool) -> int:
    from xhat.cli.summary_table import print_summary
    from xhat.report.write import report

    if not speaks():
        return 130 if fitted.summary["status"] == "interrupted" else 0
    place = shlex.quote(str(path))
    if fitted.summary["status"] == "interrupted":
        print(f"Interrupted and saved. Continue exactly here with: xhat fit --resume {place}")
        return 130
    page = report(path)
    if json:
        print(json_format.dumps({**fitted.summary, "run": str(path)}, indent=2))
        return 0
    print_summary(fitted.summary)
    again = shlex.join(_opening(fitted.origin["source"]))
    print(f"run     {path}\nreport  {page}\nnext    xhat encode {again} --model {place} --out codes.npy")
    return 0


def _opening(source: Mapping[str, Any]) -> list[str]:
    """Give the words that open the run's data again; what the model knows by itself is left out."""
    words = [str(source.get("path", "DATA"))]
    for name in ("key", "labels", "size", "mode", "tiles"):
        if name in source:
            words += [f"--{name}", "x".join(map(str, source[name])) if name == "size" else str(source[name])]
    return words


def _print_plan(plan: Plan, json: bool) -> int:
    from xhat.runs.estimate import estimate

    facts = {
        "data": f"{len(plan.data)} rows of {plan.data.schema.kind} {plan.data.schema.shape}",
        **({"reading": plan.data.reading} if plan.data.streams else {}),
        "train": len(plan.split.train),
        "validation": len(plan.split.validation),
        "recipe": plan.origin["recipe"],
        "net": plan.origin["net"],
        "code": list(plan.recipe.model.code_shape),
        "parameters": sum(p.numel() for p in plan.recipe.model.parameters()),
        "scaling": plan.scaling.how,
        "epochs": plan.settings.epochs,
        "batch_size": plan.settings.batch_size,
        "seconds": round(estimate(plan), 1),
        "warnings": list(plan.warnings),
    }
    if json:
        print(json_format.dumps(facts, indent=2))
    else:
        for name, value in facts.items():
            print(f"{name:<12}{value}")
    return 0
