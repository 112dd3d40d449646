"""What is exported: a function of a fitted model from raw rows or codes, with the scaling inside."""

from __future__ import annotations

import copy
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.errors import ConfigError, require
from xhat.core.version import VERSION
from xhat.data.layout import Layout
from xhat.data.scaling import Scaling
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted
from xhat.runs.onnx.needs import check_installed

Part = Literal["encoder", "decoder", "both"]
OPSET = 20  # asinh and gelu are operators there, and onnxruntime reads it since 2024
# Names of what goes in and comes out.
INPUTS: dict[str, list[str]] = {"encoder": ["x"], "decoder": ["z"], "both": ["x"]}
OUTPUTS: dict[str, list[str]] = {"encoder": ["z"], "decoder": ["copy"], "both": ["z", "copy"]}
MOST = 2_000_000_000  # bytes of one protocol buffer


class Graph(nn.Module):
    r"""One part of a fitted model as a function of arrays as the data's source lays them out.

    .. math:: z = f((x - c) / s), \qquad \hat x = s\, g(z) + c

    Rows x are uint8 where the source's are, float64 where their scaling takes its centre away in double, float32
    elsewhere; NaN stand for gaps where the model knows gaps. Codes and copies are float32, copies of float64 rows
    float64.

    Parameters
    ----------
    fitted : Fitted
        The model; it is copied.
    part : {"encoder", "decoder", "both"}
        x to z, z to x̂, or x to both.
    gaps : bool, default=False
        Whether rows may hold NaN though those of the fit held none.
    """

    def __init__(self, fitted: Fitted, part: Part, *, gaps: bool = False) -> None:
        super().__init__()
        refuse(fitted, part)
        self.part, self.axes, self.gaps = part, fitted.schema.layout, gaps or fitted.schema.missing > 0
        self.model: Autoencoder = copy.deepcopy(fitted.model).cpu().eval().requires_grad_(False)
        self.scaling: Scaling = copy.deepcopy(fitted.scaling).cpu()
        self.rows_type = row_type(fitted)

    def forward(self, given: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Compute the part of rows (B, *source) or of codes (B, *Z)."""
        if self.part == "decoder":
            return self._copies(given)
        z = self._codes(given)
        return z if self.part == "encoder" else (z, self._copies(z))

    def example(self) -> Tensor:
        """Make two rows, or two codes, for the tracing."""
        if self.part == "decoder":
            return torch.zeros(2, *self.model.code_shape)
        # Ones: what divides by a row's norm then has one.
        row = np.ones((2, *self.model.x_shape), dtype=self.rows_type)
        return torch.from_numpy(np.ascontiguousarray(Layout("array", self.axes).source(row)))

    def _codes(self, x: Tensor) -> Tensor:
        x = self._canonical(x)
        if self.gaps:
            return self.model.encode(Batch(self.scaling(x), mask=~x.isnan())).z
        # As Scaling does, without its look for NaN, which would cost as much as a layer.
        full = self.scaling.centre.dtype
        scaled = ((x.to(full) - self.scaling.centre) / self.scaling.spread.to(full)).to(self.scaling.spread.dtype)
        return self.model.encode(Batch(scaled)).z

    def _copies(self, z: Tensor) -> Tensor:
        return self._source(self.scaling.inverse(self.model.decode(z).mean))

    def _canonical(self, x: Tensor) -> Tensor:
        match self.axes:
            case "hw":
                return x.unsqueeze(1)
            case "hwc":
                return x.movedim(-1, 1)
            case "t":
                return x.unsqueeze(-1)
            case _:
                return x

    def _source(self, x: Tensor) -> Tensor:
        match self.axes:
            case "hw":
                return x.squeeze(1)
            case "hwc":
                return x.movedim(1, -1)
            case "t":
                return x.squeeze(-1)
            case _:
                return x


def row_type(fitted: Fitted) -> str:
    """Name the type of the rows that an exported model reads."""
    return "uint8" if fitted.schema.dtype == "uint8" else "float64" if fitted.scaling.fine else "float32"


def refuse(fitted: Fitted, part: str) -> None:
    """Stop at what no file of this kind can hold.

    Raises
    ------
    ConfigError
        For rows that are no plain arrays, models that read more than rows, and parts there are not.
    """
    require(part in get_args(Part), "export", f"part must be one of {', '.join(get_args(Part))}", f"'{part}'")
    schema, model = fitted.schema, fitted.model
    what = "a mixed table" if schema.mixed else "symbols" if schema.vocabulary else "sequences of unequal lengths"
    plain = not (schema.mixed or schema.vocabulary or schema.padded)
    hint = "use xhat encode"
    require(plain, "export", "rows must be numbers, as many in each", what, hint)
    require(not model.reads_labels, "export", "models that read labels beside rows cannot be exported", hint=hint)
    weight = sum(value.nbytes for value in model.state_dict().values())
    require(weight < MOST, "export", "a model must have fewer than 2 GB of weights", f"{weight / 1e9:.3g} GB")


def traced(graph: Graph) -> bytes:
    """Write a graph as ONNX, for any number of rows.

    Raises
    ------
    ConfigError
        When a part does what cannot be written as a graph.
    """
    check_installed()
    inputs, outputs = INPUTS[graph.part], OUTPUTS[graph.part]
    try:
        with torch.no_grad(), _quiet():
            program = torch.onnx.export(
                graph.eval(),
                (graph.example(),),
                input_names=inputs,
                output_names=outputs,
                opset_version=OPSET,
                dynamic_shapes=({0: torch.export.Dim("rows")},),
                external_data=False,
                verbose=False,
            )
    # The exporter follows the parts' own code, and may stop at anything that it finds there.
    except Exception as error:
        reason = " ".join(str(error.__cause__ or error).split())[:160]
        names = f"{type(graph.model.encoder).__name__}, {type(graph.model.decoder).__name__}"
        rule = f"the {graph.part} cannot be written as a graph ({reason})"
        raise ConfigError("export", rule, names, "use xhat encode, or another net") from error
    assert program is not None
    proto = program.model_proto
    any_number = bool(proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param)
    rule = "a graph must compute any number of rows, and this one would compute as many as were traced"
    hint = "in a part of your own take x.shape[0] where it takes len(x), or use xhat encode"
    require(any_number, "export", rule, type(graph.model.bottleneck).__name__, hint)
    for node in [node for of in (proto.graph, *proto.functions) for node in of.node]:
        node.ClearField("metadata_props")  # where in whose files it was traced from
        node.doc_string = ""
    proto.producer_name, proto.producer_version = "xhat", VERSION
    content: bytes = proto.SerializeToString()
    return content


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what the exporter says of its own registries and of torch's insides."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
