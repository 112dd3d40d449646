"""``xhat reconstruct``."""

from __future__ import annotations

from pathlib import Path

from xhat.cli.options import DataOptions, Precision, load_model, open_for


def reconstruct(
    data: str,
    /,
    *,
    model: Path,
    out: Path,
    device: str = "auto",
    precision: Precision = "32",
    options: DataOptions = DataOptions(),
) -> None:
    """Write the copies of rows, and print how far they are from the originals.

    Parameters
    ----------
    data
        A file, a folder of images or a built-in name.
    model
        A run folder.
    out
        Where to write: .npy, .npz, .parquet or .csv, .txt for texts, or a folder for images.
    device
        Where to compute: auto, cpu, cuda.
    precision
        Of the nets' products: 32; bf16 or 16; auto for bf16 where the device gains from it.
    """
    import torch

    from xhat.data.write import check_writable, write
    from xhat.data.write_parts import check_parts, write_parts
    from xhat.engine.precision import computing
    from xhat.metrics.reconstruction_error import reconstruction_error

    fitted = load_model(model, device, precision)
    check_writable(out, fitted.schema)
    rows = open_for(fitted, data, options)
    if rows.streams:
        check_parts(out, fitted.schema)
        write_parts(fitted.reconstruct_parts(rows), out, rows=len(rows), schema=fitted.schema)
    else:
        write(fitted.reconstruct(rows), out, schema=fitted.schema)
    measured = rows.few(torch.arange(len(rows)))
    with computing([fitted.model.encoder, fitted.model.decoder], fitted.precision):  # as the copies were
        error = reconstruction_error(fitted, rows, measured)
    said = f"mean squared error {error:.6g} per element"
    if fitted.schema.vocabulary is not None:
        said = f"{100 * error:.3g} % of the symbols wrong"
    if fitted.schema.mixed is not None:
        said = f"mean squared error {error:.6g} per element, numbers standardised"
    if len(measured) < len(rows):
        said += f" of {len(measured)} of them"
    print(f"{len(rows)} rows, {said}: {out}")
