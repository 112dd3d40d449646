import json
from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from torch import nn

import xhat
from xhat.core.errors import ArtifactError, ConfigError, DataError
from xhat.data.scaling import Scaling
from xhat.models.fitted import Fitted
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.runs.export import export
from xhat.runs.onnx import needs

OF_EXTRA = "onnx, onnxscript and onnxruntime are of the extra xhat[onnx]"
onnx, _, onnxruntime = (pytest.importorskip(package, reason=OF_EXTRA) for package in needs.PACKAGES)


@pytest.fixture(scope="module")
def ae():
    """Digits as bytes, laid out as (H, W); a linear path beside the net."""
    return tiny.fit("ae")


@pytest.fixture(scope="module")
def in_eight_bits(ae, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "encoder.onnx"
    return export(ae, path, int8=True, data=tiny.rows())


def run(path, rows):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})


def test_both_parts_of_a_perceptron_compute_what_it_does_for_any_number_of_rows(ae, tmp_path):
    exported = export(ae, tmp_path / "both.onnx", part="both")
    assert exported == replace(exported, precision="float32", rows=0, code_error=None, error=None)
    assert exported.bytes == (tmp_path / "both.onnx").stat().st_size
    for n in (1, 7, 200):
        rows = tiny.rows()[:n]  # bytes, as they are: scaling and axes are the file's
        z, copy = run(tmp_path / "both.onnx", rows)
        assert np.allclose(z, ae.encode(rows), atol=1e-5, rtol=1e-5)
        assert copy.shape == rows.shape
        assert np.allclose(copy, ae.reconstruct(rows), atol=1e-4, rtol=1e-5)  # of grey values up to 16


def test_the_codes_of_a_convolutional_vae_are_its_means(tmp_path):
    vae = xhat.fit(tiny.data(), "vae", net="conv", latent=3, overrides={"net.widths": [4]}, **tiny.SHORT)
    exported = export(vae, tmp_path / "encoder.onnx", data=tiny.rows())
    (z,) = run(exported.path, tiny.rows())
    with torch.no_grad():
        batch = next(iter(vae.batches(vae._open(tiny.rows()))))
        mean = vae.model.encode(batch).mean.numpy()
    assert np.allclose(z, mean, atol=1e-5, rtol=1e-5)
    assert exported.rows == 100
    assert exported.code_error < 1e-5
    assert exported.error == pytest.approx(exported.error_float32, rel=1e-5)


def test_doubles_far_from_zero_and_gaps_are_read_as_the_model_reads_them(tmp_path):
    g = torch.Generator().manual_seed(0)
    x = 1e9 + torch.randn(40, 5, generator=g, dtype=torch.float64)
    x[3, 1] = torch.nan
    data = xhat.data.open(x.numpy(), missing=True)
    torch.manual_seed(0)
    model = xhat.Autoencoder(
        MLPEncoder((5,), (2,), hidden=(6,)), Plain((2,)), MLPDecoder((2,), (5,), hidden=(6,)), Gaussian()
    )
    fitted = Fitted(model.eval().requires_grad_(False), Scaling.fit("standard", data.x), data.schema, {})
    exported = export(fitted, tmp_path / "both.onnx", part="both", data=data)
    z, copy = run(exported.path, x.numpy())
    assert copy.dtype == np.float64
    assert np.allclose(z, fitted.encode(data), atol=1e-5)
    assert np.abs(copy - fitted.reconstruct(data)).max() < 1e-5  # a 32-bit float of 1e9 keeps steps of 64
    assert np.isfinite(exported.error)


def test_the_stated_error_of_eight_bits_is_what_they_cost(ae, in_eight_bits):
    measured = tiny.rows()[0::2]  # the others calibrated
    z, (coarse,) = ae.encode(measured), run(in_eight_bits.path, measured)
    relative = np.sqrt(np.square(coarse - z).sum() / np.square(z - z.mean(0)).sum())
    assert in_eight_bits.rows == len(measured)
    assert in_eight_bits.code_error == pytest.approx(relative, rel=1e-4)
    assert 1e-4 < in_eight_bits.code_error < 0.1
    errors = [np.square(ae.decode(codes) - measured).mean() for codes in (coarse, z)]
    assert [in_eight_bits.error, in_eight_bits.error_float32] == pytest.approx(errors, rel=1e-4)


def test_a_file_of_eight_bits_holds_them_and_its_facts(in_eight_bits):
    proto = onnx.load(in_eight_bits.path)
    facts = json.loads(next(prop.value for prop in proto.metadata_props if prop.key == "xhat"))
    assert facts["code_error"] == in_eight_bits.code_error
    assert facts["precision"] == "int8"
    weights = [w for w in proto.graph.initializer if len(w.dims) == 2]
    assert weights
    assert all(w.data_type == onnx.TensorProto.INT8 for w in weights)
    assert not any(node.metadata_props or node.doc_string for node in proto.graph.node)


class Decides(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :4] * (2.0 if float(x.sum()) > 0 else 1.0)


class Counts(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :4].view(len(x), 4)


@pytest.mark.parametrize(
    ("layers", "rule"),
    [(Decides(), "the encoder cannot be written as a graph"), (Counts(), "a graph must compute any number of rows")],
)
def test_a_net_that_no_graph_holds_is_refused_in_one_line_and_leaves_no_file(ae, tmp_path, layers, rule, capfd):
    model = xhat.Autoencoder(
        xhat.build({"kind": "nets/mlp.encoder", "in_shape": [1, 8, 8], "out_shape": [4]}),
        ae.model.bottleneck,
        ae.model.decoder,
        ae.model.likelihood,
    )
    model.encoder.layers = layers
    with pytest.raises(ConfigError, match=f"export: {rule}") as refusal:
        export(replace(ae, model=model.eval()), tmp_path / "encoder.onnx")
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")  # what the exporter says meanwhile is of its own insides


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"vocabulary": ("a", "b")}, "rows must be numbers, as many in each, got symbols"),
        ({"padded": True}, "unequal lengths"),
    ],
)
def test_rows_that_are_no_plain_arrays_are_refused(ae, tmp_path, change, rule):
    with pytest.raises(ConfigError, match=rule):
        export(replace(ae, schema=replace(ae.schema, **change)), tmp_path / "encoder.onnx")


def test_models_that_read_labels_are_refused(tmp_path):
    cvae = tiny.fit("cvae", epochs=1)
    with pytest.raises(ConfigError, match="labels beside rows"):
        export(cvae, tmp_path / "encoder.onnx")


def test_a_model_that_computes_in_fewer_bits_is_exported_in_32(ae, tmp_path):
    exported = export(replace(ae, precision="bf16"), tmp_path / "encoder.onnx", data=tiny.rows())
    assert exported.code_error < 1e-5
    assert exported.error_float32 == export(ae, tmp_path / "again.onnx", data=tiny.rows()).error_float32


def test_bad_arguments_are_told_before_anything_is_done(ae, tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ConfigError, match=r"end in .onnx, got 'model.pt'"):
        export(ae, tmp_path / "model.pt")
    with pytest.raises(ConfigError, match="must be a file's"):
        export(ae, tmp_path / "folder.onnx")
    with pytest.raises(ConfigError, match="int8 needs to see rows"):
        export(ae, tmp_path / "model.onnx", int8=True)
    with pytest.raises(ConfigError, match="part must be one of encoder, decoder, both, got 'prior'"):
        export(ae, tmp_path / "model.onnx", part="prior")
    with pytest.raises(DataError, match="two rows or more"):
        export(ae, tmp_path / "model.onnx", data=tiny.rows()[:1])
    with pytest.raises(DataError, match="the model reads rows of"):
        export(ae, tmp_path / "model.onnx", data=np.zeros((9, 7, 7), np.uint8))


def test_without_the_extra_it_is_named(ae, tmp_path, monkeypatch):
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(ConfigError, match=r"no onnxscript\. Install them: pip install 'xhat\[onnx\]'\."):
        export(ae, tmp_path / "model.onnx")


def test_a_file_that_would_compute_something_else_is_not_written(ae, tmp_path, monkeypatch):
    from xhat.runs.onnx import checked as module

    monkeypatch.setattr(module, "traced", lambda graph: _identity_of_code())
    with pytest.raises(ArtifactError, match="must compute what the model does"):
        export(ae, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def _identity_of_code():
    """A graph of the right shapes: four of each row's numbers."""
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.UINT8, ["rows", 8, 8])
    z = onnx.helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["rows", 4])
    flat = onnx.helper.make_node("Flatten", ["x"], ["flat"])
    cast = onnx.helper.make_node("Cast", ["flat"], ["numbers"], to=onnx.TensorProto.FLOAT)
    some = onnx.helper.make_node("Slice", ["numbers", "start", "end", "axis"], ["z"])
    ends = [
        onnx.helper.make_tensor(name, onnx.TensorProto.INT64, [1], [value])
        for name, value in (("start", 0), ("end", 4), ("axis", 1))
    ]
    graph = onnx.helper.make_graph([flat, cast, some], "wrong", [x], [z], ends)
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
    return made.SerializeToString()
