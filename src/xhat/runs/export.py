"""A fitted model as a file that others run: ONNX, in float32 or in eight bits with its error stated."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xhat.core.errors import DataError, require
from xhat.core.files import write_bytes
from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.metrics.code_error import code_error
from xhat.models.fitted import Fitted
from xhat.runs.onnx.checked import Rows, checked, source_rows
from xhat.runs.onnx.graph import INPUTS, Part, refuse
from xhat.runs.onnx.int8 import quantised
from xhat.runs.onnx.needs import check_installed
from xhat.runs.onnx.session import Session

# Rows that calibrate and rows that measure, at most: more change neither.
CALIBRATES, MEASURES = 512, 2048


@dataclass(frozen=True)
class Exported:
    """What was written, and how far it is from the model.

    Parameters
    ----------
    path : str
        The file.
    part : str
        encoder: x to z. decoder: z to copy. both: x to z and copy.
    precision : str
        float32, or int8 for products in eight bits.
    bytes : int
        The file's size.
    rows : int
        How many rows the errors were measured on; none of them calibrated.
    code_error : float, optional
        How far codes are from the model's, in units of how far these lie apart; see `metrics.code_error`.
    error, error_float32 : float, optional
        Mean squared errors per observed element of the copies, in the data's units: by the file and by the model. Of
        an encoder's file the model's decoder makes the copy of its codes.
    """

    path: str
    part: Part
    precision: str
    bytes: int
    rows: int = 0
    code_error: float | None = None
    error: float | None = None
    error_float32: float | None = None


def export(
    fitted: Fitted, path: str | Path, *, part: Part = "encoder", int8: bool = False, data: Any = None
) -> Exported:
    """Write a part of a model as ONNX, with the scaling inside: it reads rows as the model's data has them.

    Parameters
    ----------
    fitted : Fitted
        The model, of `xhat.fit` or `xhat.load`.
    path : str or Path
        A file that ends in .onnx.
    part : {"encoder", "decoder", "both"}, default="encoder"
        x to z; z to copy; or x to z and copy. Any number of rows at once.
    int8 : bool, default=False
        Whether products are computed in eight bits, which is about four times as fast where the processor has
        instructions for it.
    data : array or anything that `xhat.data.open` reads, optional
        Rows such as the model will read: every other one calibrates int8, and the errors are measured on the rest.
        Needed for int8.

    Returns
    -------
    Exported
        The errors are in the file as well, under the metadata's key "xhat".

    Raises
    ------
    ConfigError
        When onnx, onnxscript or onnxruntime is not installed, rows are no plain arrays, or a net does what no graph
        holds.
    ArtifactError
        When the file cannot be written, or would not compute what the model does.

    Examples
    --------
    >>> xhat.export(fitted, "encoder.onnx", int8=True, data=x)      # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession("encoder.onnx")      # doctest: +SKIP
    >>> (z,) = session.run(None, {"x": x})                          # doctest: +SKIP
    """
    path, fitted = Path(path), replace(fitted, precision="32")  # what a graph is held against
    _check_writable(path)
    hint = "give rows to calibrate with: data=, or --data"
    require(not int8 or data is not None, "export", "int8 needs to see rows", hint=hint)
    check_installed()
    refuse(fitted, part)
    opened = None if data is None else _opened(fitted, data)
    content = checked(fitted, part, _rows(fitted, opened, slice(0, None, 2), 32))
    if int8:
        assert opened is not None
        given = _given(fitted, part, _rows(fitted, opened, slice(1, None, 2), CALIBRATES))
        content = quantised(content, given, INPUTS[part][0])
    exported = Exported(str(path), part, "int8" if int8 else "float32", 0)
    if opened is not None:
        exported = _measured(fitted, exported, content, _rows(fitted, opened, slice(0, None, 2), MEASURES))
    content = _with_facts(content, exported)
    write_bytes(path, content)
    return replace(exported, bytes=len(content))


def _check_writable(path: Path) -> None:
    require(path.suffix == ".onnx", "export", "the file must end in .onnx", f"'{path.name}'", "as model.onnx")
    require(not path.is_dir(), "export", "the path must be a file's", f"the folder '{path}'", "give another name")
    parent = next(p for p in path.absolute().parents if p.exists())
    writable = parent.is_dir() and os.access(parent, os.W_OK)
    hint = "give another path"
    require(writable, "export", "the file must lie in a folder that can be written to", f"'{parent}'", hint)


def _opened(fitted: Fitted, data: Any) -> Dataset:
    opened = data if isinstance(data, Dataset) else open_data(data, **fitted.schema.opening(), to_learn=False)
    fitted.schema.check(opened.schema)
    if len(opened) < 2:
        raise DataError(opened.schema.name, "two rows or more are needed, to calibrate and to measure", len(opened))
    return opened


def _rows(fitted: Fitted, data: Dataset | None, those: slice, most: int) -> Rows:
    """Give some rows evenly spaced, as the source lays them out; without data, rows between its ends."""
    if data is None:
        low, high = fitted.schema.low, fitted.schema.high
        x = np.random.default_rng(0).uniform(low, high, (most, *fitted.schema.shape))
        x = np.rint(x) if fitted.schema.dtype == "uint8" else x
    else:
        places = torch.arange(len(data))[those]
        x = data.batch(places[:: max(1, -(-len(places) // most))]).x.numpy()
    # As the model's data lies, which may be otherwise than this one does.
    return source_rows(fitted, x)


def _given(fitted: Fitted, part: Part, rows: Rows) -> Rows:
    return fitted.encode(rows) if part == "decoder" else rows


def _measured(fitted: Fitted, exported: Exported, content: bytes, rows: Rows) -> Exported:
    z = fitted.encode(rows)
    outputs = Session(content)(_given(fitted, exported.part, rows))
    copies = fitted.decode(outputs[0]) if exported.part == "encoder" else outputs[-1]
    return replace(
        exported,
        rows=len(rows),
        code_error=None if exported.part == "decoder" else code_error(outputs[0], z),
        error=_squared(copies, rows),
        error_float32=_squared(fitted.decode(z), rows),
    )


def _squared(copies: Rows, rows: Rows) -> float:
    return float(np.nanmean(np.square(copies.astype(float) - rows.astype(float))))


def _with_facts(content: bytes, exported: Exported) -> bytes:
    """Write what was measured into the file."""
    import onnx

    proto = onnx.load_from_string(content)
    facts = {name: value for name, value in asdict(exported).items() if name not in ("path", "bytes")}
    onnx.helper.set_model_props(proto, {"xhat": json.dumps(facts)})
    done: bytes = proto.SerializeToString()
    return done
