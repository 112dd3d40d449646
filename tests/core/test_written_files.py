"""Files are whole or not there, alone and several at once."""

import os

import pytest

from xhat.core import files
from xhat.core.errors import ArtifactError


def test_several_files_are_written_at_once(tmp_path):
    contents = {tmp_path / "a": b"1", tmp_path / "new" / "b": b"22"}
    files.write_files(contents)
    assert {path: path.read_bytes() for path in contents} == contents
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "new"]


def test_or_none_of_them_and_what_was_there_stays(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"mine")
    real, synced = os.fsync, []

    def full(handle):
        synced.append(handle)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ArtifactError, match=r"b: cannot be written \(No space left on device\)"):
        files.write_files({tmp_path / "a": b"1", tmp_path / "b": b"22"})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"mine"
