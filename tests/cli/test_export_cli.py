import json

import pytest

for package in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(package, reason=f"{package} is of the extra xhat[onnx]")


def test_export_writes_the_file_and_says_what_eight_bits_cost(xhat_, run, digits):
    result = xhat_(["export", str(run), "--out", "vae.onnx", "--int8", "--data", str(digits), "--key", "x"])
    assert result.status == 0, result.err
    assert result.out.startswith("encoder in int8, ")
    assert "on 100 rows that did not calibrate it: codes off by " in result.out
    again = xhat_(["export", str(run), "--out", "vae.onnx", "--int8", "--data", str(digits), "--key", "x", "--json"])
    facts = json.loads(again.out)
    assert facts["precision"] == "int8"
    assert facts["rows"] == 100
    assert 0 < facts["code_error"] < 0.2


def test_export_refuses_in_one_line(xhat_, run):
    assert "must end in .onnx" in xhat_(f"export {run} --out model.pt").error
    assert "int8 needs to see rows" in xhat_(f"export {run} --out model.onnx --int8").error
    assert "no run folder" in xhat_("export nothing --out model.onnx").error
