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

    check_writable(out)
    fitted = load_model(model, device)
    codes = fitted.encode(open_for(fitted, data, options))
    write(codes, out, prefix="z")
    print(f"{len(codes)} codes of {'×'.join(map(str, codes.shape[1:]))} numbers: {out}")
