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


def written(path, **more):
    array = zarr.create_array(str(path), shape=ROWS.shape, chunks=(70, 60), dtype="f4", **more)
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


def test_groups_hold_arrays_and_labels_by_name(tmp_path):
    group = zarr.open_group(str(tmp_path / "g.zarr"), mode="w")
    for name, values in (("x", ROWS), ("other", ROWS[:, :5]), ("kind", np.arange(3000) % 3)):
        group.create_array(name, data=values)
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
