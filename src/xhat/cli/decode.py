"""``xhat decode``."""

from __future__ import annotations

from pathlib import Path

from xhat.cli.options import load_model


def decode(
    codes: str,
    /,
    *,
    model: Path,
    out: Path,
    key: str | None = None,
    label: str | None = None,
    device: str = "auto",
) -> None:
    """Write the rows of codes.

    Parameters
    ----------
    codes
        A file that encode wrote.
    model
        A run folder.
    out
        Where to write: .npy, .npz, .parquet or .csv, .txt for texts, or a folder for images.
    key
        The array of an .npz file.
    label
        The class of all codes, by its name or its number, where the model reads one. [default: those that lie beside
        the codes of an .npz file]
    device
        Where to compute: auto, cpu, cuda.
    """
    from xhat.core.shapes import size
    from xhat.data.open import open as open_data
    from xhat.data.write import check_writable, write

    fitted = load_model(model, device)
    check_writable(out, fitted.schema)
    data = open_data(codes, key=key, to_learn=False)
    opened = data.resident.flatten(1)
    labels: str | list[object] | None = label
    if label is None and fitted.model.reads_labels and data.y is not None:
        names = data.schema.labels
        labels = data.y.tolist() if names is None else [names[place] for place in data.y.tolist()]
    shape = fitted.model.code_shape
    # A table of codes has one column a number, whatever shape the code has.
    z = opened.unflatten(1, shape) if opened.shape[1] == size(shape) else opened
    rows = fitted.decode(z, labels=labels)
    write(rows, out, schema=fitted.schema)
    print(f"{len(rows)} rows: {out}")
