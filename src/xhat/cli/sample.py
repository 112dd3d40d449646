"""``xhat sample``."""

from __future__ import annotations

from pathlib import Path

from xhat.cli.options import load_model


def sample(
    n: int = 16, /, *, model: Path, out: Path, label: str | None = None, seed: int = 0, device: str = "auto"
) -> None:
    """Write new rows, drawn from the prior.

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
    seed
        The same seed gives the same rows.
    device
        Where to compute: auto, cpu, cuda.
    """
    from xhat.data.write import check_writable, write

    fitted = load_model(model, device)
    check_writable(out, fitted.schema)
    rows = fitted.sample(n, seed=seed, label=label)
    write(rows, out, schema=fitted.schema)
    print(f"{len(rows)} rows: {out}")
