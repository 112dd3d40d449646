import errno
import os
import resource
import signal

import pytest
import tiny
import torch

from xhat.core.errors import ArtifactError, MissingFileError
from xhat.engine.checkpoint import read_checkpoint, write_checkpoint

SHARED = torch.arange(6.0)
STATE = {
    "weights": {"a.b/c": torch.randn(2, 3), "empty": torch.zeros(0, 4), "whole": torch.tensor([1, 2]), "flag": True},
    "list": [1, 2.5, None, "text", [torch.tensor(7.0)], {}],
    "bytes": torch.arange(256).to(torch.uint8),
    "column": torch.randn(4, 3).T,  # not contiguous
    "one memory": [SHARED, SHARED[:3]],
    "half": torch.randn(3).bfloat16(),
    "not a number": float("inf"),
}


def test_a_nested_state_comes_back_bit_for_bit(tmp_path):
    write_checkpoint(tmp_path / "deep" / "state.safetensors", STATE)
    assert tiny.same(read_checkpoint(tmp_path / "deep" / "state.safetensors"), STATE)


def test_tuples_come_back_as_lists_and_tensors_without_gradients(tmp_path):
    write_checkpoint(tmp_path / "s", {"betas": (0.9, 0.99), "w": torch.ones(2, requires_grad=True)})
    state = read_checkpoint(tmp_path / "s")
    assert state["betas"] == [0.9, 0.99]
    assert not state["w"].requires_grad


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"last: is missing, so there is nothing to continue from. Fit again"):
        read_checkpoint(tmp_path / "last")


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.999])
def test_a_truncated_checkpoint_is_refused_in_one_line(tmp_path, share):
    path = tmp_path / "last"
    write_checkpoint(path, STATE)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ArtifactError, match="is no whole checkpoint") as error:
        read_checkpoint(path)
    assert "\n" not in str(error.value)


def test_a_file_of_weights_is_no_checkpoint(tmp_path):
    from safetensors.torch import save_file

    save_file({"w": torch.ones(2)}, tmp_path / "last")
    with pytest.raises(ArtifactError, match="is no whole checkpoint"):
        read_checkpoint(tmp_path / "last")


@pytest.fixture
def written(tmp_path):
    write_checkpoint(tmp_path / "last", {"step": 1, "w": torch.ones(3)})
    return tmp_path / "last"


def check_whole(path) -> None:
    assert tiny.same(read_checkpoint(path), {"step": 1, "w": torch.ones(3)})
    assert [file.name for file in path.parent.iterdir()] == ["last"]  # no temporary file is left


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_full_disk_leaves_the_previous_one_whole(written, monkeypatch, call):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(ArtifactError, match=r"cannot be written \(No space left on device\)\. Free the disk"):
            write_checkpoint(written, {"step": 2, "w": torch.zeros(3)})
    check_whole(written)


def test_a_write_that_the_system_cuts_leaves_the_previous_one_whole(written):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(ArtifactError, match=r"cannot be written \(File too large\)"):
            write_checkpoint(written, {"w": torch.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    check_whole(written)
