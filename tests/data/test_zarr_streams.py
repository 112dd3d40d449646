"""Zarr arrays on a disk equal those in memory; groups, labels and what is broken."""

import sys

import numpy as np
import pytest
import torch

import xhat
from xhat.core.errors import ConfigError, DataError

zarr = pytest.importorskip("zarr", reason="zarr is an extra: pip install 'xhat[zarr]'")

LITTLE = "1MB"
ROWS = np.random.default_rng(0).normal(size=(3000, 100)).astype(np.float32)


def written(path, chunks=(70, 60), **more):
    array = zarr.create_array(str(path), shape=ROWS.shape, chunks=chunks, dtype="f4", **more)
    array[:] = ROWS
    return path


@pytest.mark.parametrize("more", [{}, {"shards": (140, 120)}, {"zarr_format": 2}])
def test_a_streamed_array_equals_one_in_memory(tmp_path, more):
    path = written(tmp_path / "rows.zarr", **more)
    streamed, whole = (xhat.data.open(path, memory=memory) for memory in (LITTLE, None))
    assert (streamed.streams, whole.streams) == (True, False)
    assert streamed.schema == whole.schema
    assert torch.equal(whole.resident, torch.from_numpy(ROWS))
    assert streamed.blocks.block in (70, 140)
    order = streamed.blocks.order(torch.arange(3000), 50, torch.Generator().manual_seed(0))
    assert torch.equal(torch.cat([batch.x for batch in streamed.walk(order, 50)]), whole.resident[order])


@pytest.mark.parametrize(
    ("chunks", "shards", "size"),
    [
        ((3000, 100), None, r"1\.2 MB"),
        ((1500, 10), None, r"600\.0 kB"),  # of all ten columns of chunks
        ((100, 10_000), None, r"4\.0 MB"),  # mostly beyond the array's end, but unpacked
        ((50, 100), (1500, 100), r"600\.0 kB"),
        ((50, 100), (30_000, 100), r"1\.2 MB"),  # chunks without rows are not there
    ],
)
def test_chunks_that_do_not_fit_say_how_to_write_them(tmp_path, chunks, shards, size):
    written(tmp_path / "rows.zarr", chunks=chunks, shards=shards)
    kind, without = ("shards", " and no shards") if shards else ("chunks", "")
    line = rf"rows: {kind} are read whole, .* 125\.0 kB of 1\.0 MB, got {size}\. "
    line += rf"Write it again with chunks=\(312, 100\){without}, or allow more with memory= \(--memory\)"
    with pytest.raises(DataError, match=line):
        xhat.data.open(tmp_path / "rows.zarr", memory=LITTLE)
    written(tmp_path / "again.zarr", chunks=(312, 100))
    assert xhat.data.open(tmp_path / "again.zarr", memory=LITTLE).streams


def test_chunks_of_one_row_are_read_however_large_that_is(tmp_path):
    # As of an .npy file: nothing smaller can be asked for.
    rows = np.random.default_rng(0).normal(size=(6, 50_000)).astype(np.float32)
    zarr.create_array(str(tmp_path / "rows.zarr"), data=rows, chunks=(1, 50_000))
    data = xhat.data.open(tmp_path / "rows.zarr", memory=LITTLE)
    assert data.streams
    assert torch.equal(data.batch(torch.tensor([4])).x, torch.from_numpy(rows[[4]]))


def test_groups_hold_arrays_and_labels_by_name(tmp_path):
    group = zarr.open_group(str(tmp_path / "g.zarr"), mode="w")
    for name, values in (("x", ROWS), ("other", ROWS[:, :5]), ("kind", np.arange(3000) % 3)):
        group.create_array(name, data=values, chunks=(100, *values.shape[1:]))
    data = xhat.data.open(tmp_path / "g.zarr", labels="kind", memory=LITTLE)
    assert data.streams
    assert torch.equal(data.batch(torch.tensor([4, 8])).y, torch.tensor([1, 2]))
    assert xhat.data.open(tmp_path / "g.zarr", key="other").schema.shape == (5,)
    with pytest.raises(DataError, match=r"g\.zarr: has no array 'otter'\. .*other"):
        xhat.data.open(tmp_path / "g.zarr", key="otter")


def test_what_is_broken_gets_one_line(tmp_path, monkeypatch):
    path = written(tmp_path / "rows.zarr")
    data = xhat.data.open(path, memory=LITTLE)
    chunk = path / "c" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:30])
    with pytest.raises(DataError, match=r"rows: rows 0 to 3 cannot be read"):
        data.batch(torch.tensor([0, 2]))
    (path / "zarr.json").write_text("{")
    with pytest.raises(DataError, match=r"rows\.zarr: cannot be read as a Zarr array"):
        xhat.data.open(path)
    monkeypatch.setitem(sys.modules, "zarr", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs the package zarr.*xhat\[zarr\]"):
        xhat.data.open(path)
