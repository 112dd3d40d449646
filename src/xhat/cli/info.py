"""``xhat info``."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Any

from xhat.cli.options import DataOptions, Switch


def info(what: str, /, *, json: Switch = False, options: DataOptions = DataOptions()) -> None:
    """Describe a run folder, or data as a fit would see it.

    Parameters
    ----------
    what
        A run folder; or a file, a folder of images or a built-in name.
    json
        Print JSON.
    """
    from rich.console import Console
    from rich.table import Table

    from xhat.models.artifact import CONFIG, SUMMARY, WEIGHTS

    # Any of a run's files tells a run, so that one which lacks another is named and not taken for data.
    run = any((Path(what) / name).is_file() for name in (CONFIG, WEIGHTS, SUMMARY))
    facts = _run(Path(what)) if run else _data(what, options)
    if json:
        print(json_format.dumps(facts, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in facts.items():
        table.add_row(name, f"{value:.6g}" if isinstance(value, float) else str(value))
    Console().print(table)


def _run(path: Path) -> dict[str, Any]:
    from xhat.models.artifact import load
    from xhat.runs.verdict import verdict

    fitted = load(path)
    model, origin = fitted.model, fitted.origin
    parts = {name: type(getattr(model, name)).__name__ for name in ("encoder", "bottleneck", "decoder", "likelihood")}
    return {
        **({"verdict": verdict(fitted.summary)} if fitted.summary else {}),
        "recipe": origin.get("recipe", "own"),
        "data": f"{fitted.schema.name}: {origin.get('rows', '?')} rows of {fitted.schema.kind} {fitted.schema.shape}",
        "scaling": fitted.scaling.how,
        **parts,
        "objective": fitted.objective["kind"],
        **{name: value for name, value in fitted.summary.items() if name not in ("pca_curve", "warnings", *parts)},
    }


def _data(what: str, options: DataOptions) -> dict[str, Any]:
    from xhat.data.open import open as open_data

    data = open_data(what, **options.as_arguments())
    return {"rows": len(data), **data.schema.to_dict()}
