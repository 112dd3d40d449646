"""Codes by ONNX Runtime are the model's own."""

from dataclasses import replace

import numpy as np
import pytest
import tiny

import xhat
from xhat.core.errors import ConfigError, DataError
from xhat.data.open import open as open_data
from xhat.models.fitted import Fitted
from xhat.runs.encode_by_onnx import encode_by_onnx
from xhat.runs.onnx import needs

for package in needs.PACKAGES:
    pytest.importorskip(package, reason="onnx, onnxscript and onnxruntime are of the extra xhat[onnx]")


@pytest.fixture(scope="module")
def ae():
    return tiny.fit("ae")


def test_codes_are_the_models_part_by_part(ae, monkeypatch):
    monkeypatch.setattr(Fitted, "rows_at_once", 70)
    rows = open_data(tiny.rows())
    parts = list(encode_by_onnx(ae, rows))
    assert [len(part) for part in parts] == [70, 70, 60]
    assert np.allclose(np.concatenate(parts), ae.encode(rows), rtol=1e-5, atol=1e-5)


def test_gaps_that_the_fit_had_none_of_are_filled_as_the_model_fills_them():
    x = tiny.rows().reshape(200, 64).astype(np.float32)
    fitted = xhat.fit(x, "ae", net="mlp", latent=4, overrides=tiny.NARROW, **tiny.SHORT)
    x = x.copy()
    x[50, 3] = np.nan
    rows = open_data(x, missing=True)
    assert np.allclose(np.concatenate(list(encode_by_onnx(fitted, rows))), fitted.encode(rows), rtol=1e-5, atol=1e-5)


def test_numbers_that_bytes_cannot_hold_are_refused_and_not_wrapped_round(ae):
    rows = open_data(tiny.rows().astype(np.float32) + 250, kind="image")
    with pytest.raises(DataError, match="graph reads whole numbers from 0 to 255"):
        list(encode_by_onnx(ae, rows))


def test_fewer_bits_are_refused(ae):
    with pytest.raises(ConfigError, match="--engine onnx: computes on the processor in 32 bits, got cpu, bf16 bits"):
        encode_by_onnx(replace(ae, precision="bf16"), open_data(tiny.rows()))
