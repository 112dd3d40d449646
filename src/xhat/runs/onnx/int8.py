"""Products in eight bits: static quantisation of an ONNX file by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What is computed in eight bits; all between stays float32.
PRODUCTS = ("Conv", "Gemm", "MatMul")
TOGETHER = 64  # rows, of calibration


def quantised(content: bytes, rows: NDArray[Any], name: str) -> bytes:
    r"""Round the weights and the activations of products to whole numbers of eight bits.

    .. math:: x \approx s\,q, \quad q \in \{-128, \dots, 127\}

    A weight's s is its output's own; an activation's, with a whole-numbered zero, follows from the lowest and the
    highest value that it takes on `rows`.

    Parameters
    ----------
    content : bytes
        A float32 model.
    rows : ndarray of shape (n_rows, ...)
        Typical input.
    name : str
        The input's name.

    Returns
    -------
    bytes
        The model with pairs of QuantizeLinear and DequantizeLinear around its products.

    References
    ----------
    Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
    CVPR 2018.
    """
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Give the rows, some at a time."""

        def __init__(self) -> None:
            self.parts = iter(np.array_split(rows, -(-len(rows) // TOGETHER)))

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            part = next(self.parts, None)
            return None if part is None else {name: part}

    with TemporaryDirectory() as folder:
        whole, ready, done = (Path(folder) / f"{name}.onnx" for name in ("whole", "ready", "done"))
        whole.write_bytes(content)
        quant_pre_process(whole, ready, skip_symbolic_shape=True)
        quantize_static(ready, done, Reader(), op_types_to_quantize=list(PRODUCTS), per_channel=True)
        return done.read_bytes()
