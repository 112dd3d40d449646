"""The command line on data that does not fit: what is written is what data in memory gives."""

import numpy as np
import pandas as pd
import pytest
import tiny

import xhat
from xhat.cli import main

LITTLE = ["--memory", "1MB"]
SHORT = {"latent": 4, "net": "mlp", "overrides": tiny.NARROW, "epochs": 1, "batch_size": 500, "device": "cpu"}


def call(*words):
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verbs")
    rows = np.tile(tiny.rows().reshape(200, 64), (25, 1)).astype(np.float32)  # 1.3 MB
    np.save(folder / "rows.npy", rows + np.random.default_rng(0).normal(0, 0.1, rows.shape).astype(np.float32))
    xhat.fit(xhat.data.open(folder / "rows.npy", memory="1MB"), out=folder / "run", **SHORT)
    return folder


def test_fit_says_that_it_streams(run, capsys):
    call("fit", run / "rows.npy", *LITTLE, "--dry-run", "--net", "mlp", "--epochs", 1, "--device", "cpu")
    assert "streams 1.3 MB in windows of" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["encode", "reconstruct", "score"])
@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
def test_what_is_streamed_equals_what_is_not(run, tmp_path, verb, suffix):
    for name, memory in (("little", LITTLE), ("much", [])):
        out = tmp_path / f"{name}{suffix}"
        words = [verb, run / "rows.npy", "--model", run / "run", "--out", out, "--device", "cpu", *memory]
        assert call(*words) == 0
    if suffix == ".npy":
        assert np.allclose(np.load(tmp_path / "little.npy"), np.load(tmp_path / "much.npy"), rtol=1e-6, atol=1e-6)
    else:
        pd.testing.assert_frame_equal(*(pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("little", "much")))


def test_codes_are_decoded_in_a_stream(run, tmp_path):
    call("encode", run / "rows.npy", "--model", run / "run", "--out", tmp_path / "z.npy", "--device", "cpu")
    z = np.load(tmp_path / "z.npy")
    np.save(tmp_path / "z.npy", np.tile(z, (20, 1)))  # 1.6 MB
    call("decode", tmp_path / "z.npy", "--model", run / "run", "--out", tmp_path / "x.npy", *LITTLE, "--device", "cpu")
    call("reconstruct", run / "rows.npy", "--model", run / "run", "--out", tmp_path / "y.npy", "--device", "cpu")
    x, y = np.load(tmp_path / "x.npy"), np.load(tmp_path / "y.npy")
    assert np.allclose(x[: len(y)], y, atol=1e-5)
    assert np.allclose(x[-len(y) :], y, atol=1e-5)


def test_a_format_that_cannot_be_written_in_parts_is_refused(run, tmp_path, capsys):
    words = ["encode", run / "rows.npy", "--model", run / "run", "--out", tmp_path / "z.npz", *LITTLE]
    assert call(*words) == 2
    assert "rows that are streamed must be written to .npy" in capsys.readouterr().err
    assert not (tmp_path / "z.npz").exists()
