"""``xhat export``."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from xhat.cli.options import DataOptions, Switch, load_model, open_for


def export(
    model: Path,
    /,
    *,
    out: Path,
    part: Literal["encoder", "decoder", "both"] = "encoder",
    int8: Switch = False,
    data: str | None = None,
    json: Switch = False,
    options: DataOptions = DataOptions(),
) -> None:
    """Write a model as an ONNX file, with the scaling inside; needs the extra xhat[onnx].

    Parameters
    ----------
    model
        A run folder.
    out
        The file, which ends in .onnx.
    part
        encoder, rows to codes; decoder, codes to rows; both, rows to codes and copies.
    int8
        Compute products in eight bits; the error that this costs is printed.
    data
        Rows such as the model will read: every other one calibrates --int8, on the rest errors are measured.
    json
        Print what was written and measured as JSON.
    """
    from xhat.runs.export import export as export_model

    fitted = load_model(model, "cpu")
    rows = None if data is None else open_for(fitted, data, options)
    exported = export_model(fitted, out, part=part, int8=int8, data=rows)
    if json:
        print(json_format.dumps(asdict(exported), indent=2))
        return
    print(f"{part} in {exported.precision}, {exported.bytes / 1e6:.3g} MB: {out}")
    if exported.rows:
        code = (
            "" if exported.code_error is None else f"codes off by {100 * exported.code_error:.2g} % of their spread, "
        )
        error = f"squared error {exported.error:.6g} per element, the model's {exported.error_float32:.6g}"
        print(f"on {exported.rows} rows that did not calibrate it: {code}{error}")
