"""Ray starts processes of its own, and warns while it does: it is tried in a process beside the tests."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny

import xhat
from xhat.cli import main
from xhat.core.errors import ConfigError, DataError
from xhat.runs.encode_on_ray import encode_on_ray

SCRIPT = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
import xhat
from xhat.runs import encode_on_ray as room
folder, table, address = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
room.ROWS = 48  # of 200: several files
for data, out in ((str(table), "codes"), (address, "again")):
    assert room.encode_on_ray(data, folder / "run", folder / out, device="cpu") == 200
    files = sorted((folder / out).iterdir())
    assert {file.suffix for file in files} == {".parquet"}
    assert len(files) > 1 or data == address
    codes = pd.concat([pd.read_parquet(file) for file in files])
    assert list(codes) == ["z0", "z1", "z2", "z3"]
    np.testing.assert_allclose(codes, xhat.load(folder / "run").encode(table), atol=1e-5)
    assert not list(folder.glob(".*partial"))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ray")
    import pandas as pd

    frame = pd.DataFrame(tiny.rows().reshape(200, 64)[:, 10:16].astype(float), columns=list("abcdef"))
    frame.to_parquet(folder / "rows.parquet")
    xhat.fit(frame, latent=4, epochs=1, overrides=tiny.NARROW, device="cpu", out=folder / "run")
    return folder


def test_a_local_ray_finds_the_codes_of_one_process_in_the_rows_order(run):
    pytest.importorskip("ray", reason="needs Ray: pip install 'xhat[ray]'")
    table = run / "rows.parquet"
    words = [sys.executable, "-c", SCRIPT, run, table, table.as_uri()]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_taken_is_left(run, tmp_path):
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "mine").touch()
    for out in (tmp_path / "codes", Path("codes.npy")):
        with pytest.raises(ConfigError, match="ray writes a new or empty folder"):
            encode_on_ray("digits", run / "run", out)


def test_without_ray_its_extra_is_named(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    out = tmp_path / "codes"
    assert main(["encode", "digits", "--model", str(run / "run"), "--out", str(out), "--engine", "ray"]) == 2
    assert capsys.readouterr().err == "xhat: --engine ray: needs Ray. Pip install 'xhat[ray]'.\n"
    assert not out.exists()


def test_data_that_the_model_cannot_read_is_refused_before_ray_starts(run, tmp_path, monkeypatch):
    monkeypatch.setattr("xhat.runs.encode_on_ray._ray", lambda: object())
    with pytest.raises(ValueError, match=r"a table has the shape \(N, D\), got shape"):
        encode_on_ray("digits", run / "run", tmp_path / "codes")


@pytest.mark.parametrize("remote", [False, True])
def test_a_task_has_fewer_rows_where_they_are_large(run, tmp_path, monkeypatch, remote):
    asked = []

    class Table:
        def map_batches(self, coder, *, batch_size, **_):
            asked.append(batch_size)
            raise StopIteration

    def ranged(rows, *, override_num_blocks):
        asked.append(override_num_blocks)
        raise StopIteration

    reading = SimpleNamespace(range=ranged, read_parquet=lambda address: Table(), ActorPoolStrategy=lambda **_: None)
    ray = SimpleNamespace(data=reading, cluster_resources=dict, shutdown=lambda: None)
    monkeypatch.setattr("xhat.runs.encode_on_ray._ray", lambda: ray)
    # Of six numbers of 64 bits a row, and four of its code: ten rows.
    monkeypatch.setattr("xhat.data.memory.TOGETHER", 10 * 8 * (6 + 4))
    table = run / "rows.parquet"
    with pytest.raises(DataError, match="a task failed"):
        encode_on_ray(table.as_uri() if remote else str(table), run / "run", tmp_path / "codes")
    assert asked == [10 if remote else 20]
