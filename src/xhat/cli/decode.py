"""``xhat decode``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xhat.cli.options import load_model

if TYPE_CHECKING:
    from torch import Tensor

    from xhat.data.dataset import Dataset
    from xhat.models.fitted import Fitted

# Codes that are decoded at once where they are streamed.
ROWS = 1024


def decode(
    codes: str,
    /,
    *,
    model: Path,
    out: Path,
    key: str | None = None,
    label: str | None = None,
    memory: str | None = None,
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
    memory
        What the codes may take, as 1GB; more are streamed from the disk. [default: half of what is free]
    device
        Where to compute: auto, cpu, cuda.
    """
    from xhat.data.open import open as open_data
    from xhat.data.write import check_writable, write
    from xhat.data.write_parts import check_parts, write_parts

    fitted = load_model(model, device)
    check_writable(out, fitted.schema)
    # As numbers: codes of a grid may look like images, whose axes would be moved.
    data = open_data(codes, key=key, kind="array", memory=memory, to_learn=False)
    if data.streams:
        check_parts(out, fitted.schema)
        write_parts(_parts(fitted, data, label), out, rows=len(data), schema=fitted.schema)
        print(f"{len(data)} rows: {out}")
        return
    labels: str | list[object] | None = label
    if label is None and fitted.model.reads_labels and data.y is not None:
        names = data.schema.labels
        labels = data.y.tolist() if names is None else [names[place] for place in data.y.tolist()]
    rows = fitted.decode(_shaped(fitted, data.resident), labels=labels)
    write(rows, out, schema=fitted.schema)
    print(f"{len(rows)} rows: {out}")


def _shaped(fitted: Fitted, codes: Tensor) -> Tensor:
    """Give codes the model's shape: a table of them has one column a number, whatever shape a code has."""
    from xhat.core.shapes import size

    flat, shape = codes.flatten(1), fitted.model.code_shape
    return flat.unflatten(1, shape) if flat.shape[1] == size(shape) else flat


def _parts(fitted: Fitted, data: Dataset, label: str | None) -> Iterator[Any]:
    import torch

    for batch in data.walk(torch.arange(len(data)), ROWS):
        yield fitted.decode(_shaped(fitted, batch.x), labels=label)
