"""A graph that was seen to compute what its model does."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from xhat.core.errors import ArtifactError, DataError, require
from xhat.data.layout import Layout
from xhat.metrics.code_error import code_error
from xhat.models.fitted import Fitted
from xhat.runs.onnx.graph import Graph, Part, row_type, traced
from xhat.runs.onnx.session import Session

Rows = NDArray[Any]

# A float32 graph may differ from the model by the order in which numbers are added, and by no more.
SAME = 1e-3


def checked(fitted: Fitted, part: Part, rows: Rows, *, gaps: bool = False) -> bytes:
    """Write a part of a model as ONNX, and compare it with the model on some rows.

    Parameters
    ----------
    fitted : Fitted
        The model.
    part : {"encoder", "decoder", "both"}
        What to write.
    rows : array of shape (N, ...)
        As `source_rows` gives them.
    gaps : bool, default=False
        See `Graph`.

    Raises
    ------
    ConfigError
        When a part does what cannot be written as a graph.
    ArtifactError
        When the graph does not compute what the model does.
    """
    content = traced(Graph(fitted, part, gaps=gaps))
    z = fitted.encode(rows)
    copy = fitted.decode(z)
    expected = {"encoder": [z], "decoder": [copy], "both": [z, copy]}[part]
    outputs = Session(content)(z if part == "decoder" else rows)
    far = max(code_error(came, meant) for came, meant in zip(outputs, expected, strict=True))
    rule, hint = "the file must compute what the model does", "export another part, or use xhat encode"
    require(far < SAME, "export", rule, f"a relative error of {far:.2g}", hint, error=ArtifactError)
    return content


def source_rows(fitted: Fitted, x: torch.Tensor | Rows) -> Rows:
    """Lay raw rows (N, *X) out as the model's data lies, in the type that its graph reads.

    Raises
    ------
    DataError
        When that type cannot hold them, as bytes cannot hold halves.
    """
    given, name = np.asarray(x), row_type(fitted)
    with np.errstate(invalid="ignore"):
        plain = given.astype(name)
    kept = name != "uint8" or bool((plain == given).all())
    hint = "give such rows, or use xhat encode without --engine"
    require(kept, "export", "this model's graph reads whole numbers from 0 to 255", "others", hint, error=DataError)
    return np.ascontiguousarray(Layout("array", fitted.schema.layout).source(plain))
