"""``xhat encode``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from xhat.cli.options import DataOptions, Precision, load_model, open_for

if TYPE_CHECKING:
    from xhat.data.dataset import Dataset
    from xhat.models.fitted import Fitted

# Rows whose codes are computed twice, to say what fewer bits cost.
MEASURED = 1024


def encode(
    data: str,
    /,
    *,
    model: Path,
    out: Path,
    device: str = "auto",
    precision: Precision = "32",
    engine: Literal["own", "onnx", "ray"] = "own",
    options: DataOptions = DataOptions(),
) -> None:
    """Write the codes of rows.

    Parameters
    ----------
    data
        A file, a folder of images or a built-in name.
    model
        A run folder.
    out
        Where to write: .npy, .npz, .parquet or .csv; with --engine ray a folder of .parquet files.
    device
        Where to compute: auto, cpu, cuda.
    precision
        Of the nets' products: 32; bf16 or 16, whose error is printed; auto for bf16 where the device gains from it.
    engine
        own; onnx, for ONNX Runtime, which is faster on a processor; or ray, for the workers of a cluster that
        RAY_ADDRESS names, or of this machine. With ray DATA may also be the address of a table, as
        s3://bucket/rows.parquet.
    """
    if engine == "ray":
        from xhat.runs.encode_on_ray import encode_on_ray

        many = encode_on_ray(data, model, out, opening=options.as_arguments(), device=device, precision=precision)
        print(f"{many} codes: {out}")
        return
    import numpy as np

    from xhat.data.write import check_writable, write
    from xhat.data.write_parts import check_parts, write_parts

    check_writable(out)
    if engine == "onnx":
        device, precision = device.replace("auto", "cpu"), "32" if precision == "auto" else precision
    fitted = load_model(model, device, precision)
    rows = open_for(fitted, data, options)
    parts = _by_onnx(fitted, rows) if engine == "onnx" else fitted.encode_parts(rows)
    if rows.streams:
        check_parts(out)
        write_parts(parts, out, rows=len(rows), prefix="z")
    else:
        write(np.concatenate(list(parts)), out, prefix="z")
    print(f"{len(rows)} codes of {'×'.join(map(str, fitted.model.code_shape))} numbers: {out}")
    if fitted.precision != "32":
        print(_cost(fitted, rows))


def _by_onnx(fitted: Fitted, rows: Dataset) -> Iterator[Any]:
    from xhat.runs.encode_by_onnx import encode_by_onnx

    return encode_by_onnx(fitted, rows)


def _cost(fitted: Fitted, rows: Dataset) -> str:
    """Say how far codes of fewer bits are from those of 32."""
    import torch

    from xhat.metrics.code_error import code_error

    some = rows.subset(torch.arange(min(MEASURED, len(rows))))
    off = code_error(fitted.encode(some), replace(fitted, precision="32").encode(some))
    return f"in {fitted.precision}: off by {100 * off:.2g} % of their spread from those in 32, on {len(some)} rows"
