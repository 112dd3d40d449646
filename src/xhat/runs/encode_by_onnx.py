"""Codes by ONNX Runtime, which on a processor takes a fraction of the time of torch's own products."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from xhat.core.errors import require
from xhat.data.dataset import Dataset
from xhat.models.fitted import Array, Fitted
from xhat.runs.onnx.checked import checked, source_rows
from xhat.runs.onnx.graph import refuse
from xhat.runs.onnx.needs import check_installed
from xhat.runs.onnx.session import Session

# Rows that the graph is compared with the model on.
CHECKED = 32


def encode_by_onnx(fitted: Fitted, data: Dataset) -> Iterator[Array]:
    """Give what `Fitted.encode` gives to rounding, some rows at a time.

    Parameters
    ----------
    fitted : Fitted
        The model, on the processor and in 32 bits.
    data : Dataset
        Open rows.

    Raises
    ------
    ConfigError
        When onnxruntime is not installed, the model computes elsewhere or in fewer bits, or it cannot be exported.
    """
    check_installed()
    place = f"{fitted.device.type}, {fitted.precision} bits"
    plain = fitted.device.type == "cpu" and fitted.precision == "32"
    hint = "give --device cpu and --precision 32"
    require(plain, "--engine onnx", "computes on the processor in 32 bits", place, hint)
    refuse(fitted, "encoder")
    fitted.schema.check(data.schema)
    every, size = torch.arange(len(data)), fitted.rows_at_once
    some = source_rows(fitted, data.batch(every[:CHECKED]).x)
    session = Session(checked(fitted, "encoder", some, gaps=data.schema.missing > 0))
    return (session(source_rows(fitted, raw.x))[0] for raw in data.walk(every, size))
