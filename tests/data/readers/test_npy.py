from pathlib import Path

import numpy as np
import pytest
import torch

import xhat.data
from xhat.core.errors import DataError
from xhat.data.ask import Ask
from xhat.data.prepare import prepare
from xhat.data.readers import npy

X = np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), dtype=np.uint8)


@pytest.fixture
def path(tmp_path) -> Path:
    np.save(tmp_path / "photos.npy", X)
    return tmp_path / "photos.npy"


def test_the_file_is_mapped_not_read(path):
    raw = npy.read(path, Ask())
    assert isinstance(raw.rows, np.memmap)
    assert prepare(raw).x.data_ptr() == raw.rows.ctypes.data


def test_mapped_images_batch_as_others_do(path):
    mapped, loaded = xhat.data.open(path), xhat.data.open(X, name="photos")
    assert mapped.schema == loaded.schema
    assert mapped.schema.shape == (3, 4, 5)
    rows = torch.tensor([6, 0, 3])
    assert torch.equal(mapped.batch(rows).x, loaded.batch(rows).x)
    np.testing.assert_array_equal(mapped.schema.to_source(mapped.x.numpy()), X)


def test_nothing_changes_the_file(path):
    before = path.read_bytes()
    xhat.data.open(path).x.zero_()
    assert path.read_bytes() == before


def test_a_map_that_only_reads_will_do(path):
    assert torch.equal(xhat.data.open(np.load(path, mmap_mode="r")).x, xhat.data.open(X).x)


def test_refuses_objects_and_other_bytes(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([[1, None]], object), allow_pickle=True)
    with pytest.raises(DataError, match=r"^objects.npy: cannot be read as an \.npy file, got .*objects"):
        xhat.data.open(tmp_path / "objects.npy")
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(DataError, match=r"^text.npy: cannot be read as an \.npy file"):
        xhat.data.open(tmp_path / "text.npy")
    np.save(tmp_path / "whole.npy", X)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:-9])
    with pytest.raises(DataError, match=r"^cut.npy: cannot be read as an \.npy file"):
        xhat.data.open(tmp_path / "cut.npy")


def test_refuses_no_rows(tmp_path):
    np.save(tmp_path / "none.npy", np.zeros((0, 3)))
    with pytest.raises(DataError, match="needs at least 2 rows, got 0"):
        xhat.data.open(tmp_path / "none.npy")
