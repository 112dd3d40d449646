"""``xhat impute``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from xhat.cli.options import DataOptions, load_model, open_for

if TYPE_CHECKING:
    import numpy as np

    from xhat.data.dataset import Dataset
    from xhat.data.schema import Schema
    from xhat.models.fitted import Fitted

# Draws a row by which gaps are filled, as the estimator's.
DRAWS = 256
TABLES = (".csv", ".parquet")


def impute(
    data: str,
    /,
    *,
    out: Path,
    model: Path | None = None,
    draws: int | None = None,
    seed: int = 0,
    device: str = "auto",
    options: DataOptions = DataOptions(),
) -> None:
    """Fill the gaps of rows with what a model expects there.

    Parameters
    ----------
    data
        A file; a gap is NaN, in a text file also an empty cell or "?".
    out
        Where to write: .npy, .npz, .parquet or .csv.
    model
        A run folder of a kind with distributions of codes, such as miwae, or what an Imputer saved. [default: an
        Imputer is fitted to these rows]
    draws
        Write so many filled copies, each drawn from what may stand in the gaps: of a table one under the other, with
        a first column "draw", else along a first axis. [default: one copy, of means]
    seed
        Of the fit, and of the draws.
    device
        Where to compute: auto, cpu, cuda.
    """
    from dataclasses import replace

    import numpy as np

    from xhat.core.errors import require
    from xhat.data.mixed import put
    from xhat.data.table import table
    from xhat.data.write import check_writable, write
    from xhat.estimators._filling import drawn, filled

    check_writable(out)
    require(draws is None or draws >= 1, "--draws", "must be >= 1", draws, "10 show how sure the model is")
    options = replace(options, missing=True)
    left = ""
    if model is None:
        fitted, rows = _fit(data, options, seed, device)
    else:
        fitted = load_model(model, device)
        opened = open_for(fitted, data, options)
        rows, left = _known(opened, fitted), _left(opened, fitted)
        fitted.schema.check(rows.schema)
    check_writable(out, rows.schema)
    x = rows.resident.numpy()
    gaps = np.isnan(x) if x.dtype.kind == "f" else np.zeros(x.shape, bool)
    told = fitted.origin.get("estimator") or {"params": {}}
    k = int(told["params"].get("draws", DRAWS))
    values = filled(fitted, rows, k)[None] if draws is None else drawn(fitted, rows, draws, k, seed)
    if rows.schema.mixed is not None:
        # What was observed is written as it stands in the file, and not as nets see it.
        source = table(data, rows.schema.mixed)[[column.name for column in rows.schema.mixed]]
        copies: list[Any] = [put(source, copy, rows.schema.mixed) for copy in values]
    else:
        copies = [rows.schema.to_source(np.where(gaps, copy.astype(x.dtype), x)) for copy in values]
        if rows.schema.kind == "table" and rows.schema.columns and out.suffix.lower() in TABLES:
            copies = _typed(copies, data, rows.schema.columns, gaps)
    write(copies[0] if draws is None else _joined(copies, out, rows.schema), out, schema=rows.schema)
    if left:
        print(f"left out, for the model saw no value there: {left}")
    _print(gaps, rows.schema, f"{'' if draws is None else f' {draws} times'}: {out}")


def _fit(data: str, options: DataOptions, seed: int, device: str) -> tuple[Fitted, Dataset]:
    """Fit an imputer to the rows that it fills."""
    from xhat.core.errors import DataError, require
    from xhat.data.open import open as open_data
    from xhat.data.table import table
    from xhat.estimators.imputer import Imputer

    rows = open_data(data, **options.as_arguments())
    hint = "fit kind miwae to it, with --missing, and give that run by --model"
    is_table = rows.schema.kind == "table"
    require(is_table, "impute", "without --model fills tables", rows.schema.kind, hint, error=DataError)
    mixed = rows.schema.mixed
    x = rows.resident.numpy() if mixed is None else table(data)[[column.name for column in mixed]]
    return Imputer(random_state=seed, device=device).fit(x).fitted_, rows


def _places(rows: Dataset, fitted: Fitted) -> list[int]:
    """List the columns in which an Imputer saw some value, where it left out others."""
    known = (fitted.origin.get("imputer") or {}).get("known") or []
    fits = rows.schema.mixed is None and rows.schema.shape == (len(known),)
    return [place for place in range(rows.schema.shape[0]) if not fits or known[place]]


def _known(rows: Dataset, fitted: Fitted) -> Dataset:
    """Leave out the columns in which an Imputer saw no value, as it does itself."""
    from dataclasses import replace

    kept, columns = _places(rows, fitted), rows.schema.columns
    if len(kept) == rows.schema.shape[0]:
        return rows
    names = None if columns is None else tuple(columns[place] for place in kept)
    return replace(rows, x=rows.resident[:, kept], schema=replace(rows.schema, shape=(len(kept),), columns=names))


def _left(rows: Dataset, fitted: Fitted) -> str:
    """Name the columns that `_known` leaves out."""
    kept, columns = _places(rows, fitted), rows.schema.columns
    left = [place for place in range(rows.schema.shape[0]) if place not in kept]
    return ", ".join(columns[place] if columns else str(place) for place in left)


def _typed(copies: list[Any], data: str, names: tuple[str, ...], gaps: np.ndarray[Any, Any]) -> list[Any]:
    """Make frames of filled rows (N, D), whose columns without gaps stand as they do in the file."""
    import pandas as pd

    from xhat.data.readers import by_suffix
    from xhat.data.table import table

    if not hasattr(by_suffix().get(Path(data).suffix.lower()), "read_frame"):  # an array has one type
        return copies
    source, whole = table(data), [name for place, name in enumerate(names) if not gaps[:, place].any()]
    same = {name: source[name].array for name in whole}
    return [pd.DataFrame(copy, columns=list(names)).assign(**same) for copy in copies]


def _joined(copies: list[Any], out: Path, schema: Schema) -> Any:
    """Put copies one under the other, as a frame with a column that counts them, or along a first axis."""
    import numpy as np
    import pandas as pd

    if out.suffix.lower() not in (".csv", ".parquet"):
        return np.stack(copies)
    names = list(schema.columns) if schema.columns and schema.mixed is None else None
    frames = [c if isinstance(c, pd.DataFrame) else pd.DataFrame(c.reshape(len(c), -1), columns=names) for c in copies]
    whole = pd.concat(frames, keys=range(1, len(frames) + 1), names=["draw"]).reset_index(level=0)
    return whole.set_axis([str(name) for name in whole.columns], axis=1)


def _print(gaps: np.ndarray[Any, Any], schema: Schema, where: str) -> None:
    """Say how many gaps there were, and in which columns."""
    from rich.console import Console
    from rich.table import Table

    if schema.mixed is not None:  # a category stands in several places: one of them is enough to count
        names = [column.name for column in schema.mixed]
        starts = [0]
        for column in schema.mixed[:-1]:
            starts.append(starts[-1] + column.width)
        gaps = gaps[:, starts]
    else:
        names = list(schema.columns or ())
    count = int(gaps.sum())
    if len(names) == gaps.shape[-1] and count:
        table = Table(box=None, padding=(0, 3, 0, 0))
        for name, side in (("column", "left"), ("gaps", "right"), ("share", "right")):
            table.add_column(name, justify=side)  # type: ignore[arg-type]
        each = gaps.reshape(-1, gaps.shape[-1]).sum(0)
        for name, number in zip(names, each, strict=True):
            if number:
                table.add_row(name, str(number), f"{100 * number * len(names) / gaps.size:.1f} %")
        Console(highlight=False).print(table)
    print(f"{count} gaps of {gaps.size} values filled{where}")
