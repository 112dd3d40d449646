"""``xhat encode``."""

from __future__ import annotations

from pathlib import Path

from xhat.cli.options import DataOptions, load_model, open_for


def encode(data: str, /, *, model: Path, out: Path, device: str = "auto", options: DataOptions = DataOptions()) -> None:
    """Write the codes of rows.

    Parameters
    ----------
    data
        A file, a folder of images or a built-in name.
    model
        A run folder.
    out
        Where to write: .npy, .npz, .parquet or .csv.
    device
        Where to compute: auto, cpu, cuda.
    """
    from xhat.data.write import check_writable, write
    from xhat.data.write_parts import check_parts, write_parts

    check_writable(out)
    fitted = load_model(model, device)
    rows = open_for(fitted, data, options)
    if rows.streams:
        check_parts(out)
        write_parts(fitted.encode_parts(rows), out, rows=len(rows), prefix="z")
    else:
        write(fitted.encode(rows), out, prefix="z")
    print(f"{len(rows)} codes of {'×'.join(map(str, fitted.model.code_shape))} numbers: {out}")
