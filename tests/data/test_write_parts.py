"""Rows written part by part equal rows written at once; a failure amid leaves what was there."""

import numpy as np
import pandas as pd
import pytest
from pyarrow.parquet import ParquetFile

from xhat.core.errors import ConfigError, DataError
from xhat.data import write_parts as module
from xhat.data.write import write
from xhat.data.write_parts import write_parts

ROWS = np.random.default_rng(0).normal(size=(1000, 3, 4)).astype(np.float32)


def parts():
    return iter(np.split(ROWS, [300, 301, 999]))


@pytest.mark.parametrize("suffix", [".npy", ".parquet", ".csv"])
def test_parts_equal_the_whole(tmp_path, suffix):
    write(ROWS, tmp_path / f"whole{suffix}")
    write_parts(parts(), tmp_path / f"parts{suffix}", rows=1000)
    if suffix == ".npy":
        assert (tmp_path / "parts.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
        return
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    pd.testing.assert_frame_equal(read(tmp_path / f"parts{suffix}"), read(tmp_path / f"whole{suffix}"))


def test_row_groups_are_small_enough_to_be_streamed(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "GROUP", 300 * 12 * 4)
    write_parts(parts(), tmp_path / "rows.parquet", rows=1000)
    with ParquetFile(tmp_path / "rows.parquet") as file:
        assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [300, 699, 1]


def test_frames_keep_their_types(tmp_path):
    frame = pd.DataFrame({"age": [1, 2, 3], "sex": ["m", "f", "m"]})
    write_parts(iter([frame[:1], frame[1:]]), tmp_path / "rows.parquet", rows=3)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "rows.parquet"), frame)


@pytest.mark.parametrize("suffix", [".npy", ".parquet", ".csv"])
def test_a_failure_amid_leaves_what_was_there(tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(b"before")

    def broken():
        yield ROWS[:10]
        raise DataError("rows", "has become shorter")

    with pytest.raises(DataError, match="has become shorter"):
        write_parts(broken(), path, rows=1000)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(path.name, b"before")]


def test_other_formats_are_refused_before_any_work(tmp_path):
    with pytest.raises(ConfigError, match=r"rows that are streamed must be written to \.npy, \.parquet, \.csv"):
        write_parts(iter([]), tmp_path / "rows.npz", rows=1)
