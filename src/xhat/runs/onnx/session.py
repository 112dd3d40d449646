"""An ONNX file at work, by onnxruntime on the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

TOGETHER = 512  # rows: activations of common widths then stay in a cache


class Session:
    """Compute what an ONNX model says of rows.

    Parameters
    ----------
    content : bytes
        The file's.
    threads : int, optional
        Of one product; by default as many as torch uses.
    """

    def __init__(self, content: bytes, threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or torch.get_num_threads()
        options.log_severity_level = 3  # errors: what it says of its own rewriting is no news
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name

    def __call__(self, rows: NDArray[Any]) -> list[NDArray[Any]]:
        """Give each output for rows (N, ...), in their order."""
        parts = [
            self._session.run(None, {self._name: rows[start : start + TOGETHER]})
            for start in range(0, len(rows), TOGETHER)
        ]
        return [np.concatenate(of_all) for of_all in zip(*parts, strict=True)]
