"""``xhat sample``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from xhat.cli.options import load_model
from xhat.core.errors import require


def sample(
    n: int = 16,
    /,
    *,
    model: Path,
    out: Path,
    label: str | None = None,
    where: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    seed: int = 0,
    device: str = "auto",
) -> None:
    """Write new rows, drawn from the prior; of a table with categories from its columns' distributions as well.

    Parameters
    ----------
    n
        How many.
    model
        A run folder.
    out
        Where to write: .npy, .npz, .parquet or .csv, .txt for texts, or a folder for images.
    label
        The class of all rows, by its name or its number, where the model has classes. [default: drawn as well]
    where
        What all rows of a table with categories have in a column, as sex=Female. May be given many times.
    seed
        The same seed gives the same rows.
    device
        Where to compute: auto, cpu, cuda.
    """
    from xhat.data.write import check_writable, write

    fitted = load_model(model, device)
    check_writable(out, fitted.schema)
    rows = fitted.sample(n, seed=seed, label=label, where=_conditions(where))
    write(rows, out, schema=fitted.schema)
    print(f"{len(rows)} rows: {out}")


def _conditions(words: tuple[str, ...]) -> dict[str, str]:
    for word in words:
        require("=" in word, "--where", "must be COLUMN=VALUE", f"'{word}'", "as --where sex=Female")
    found: dict[str, str] = {}
    for name, _, value in (word.partition("=") for word in words):
        before = found.setdefault(name, value)
        require(before == value, "--where", "must give a column one value", f"{name}={before} and {name}={value}")
    return found
