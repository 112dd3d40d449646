"""What steps free is kept for the next ones."""

import ctypes
import os
import subprocess
import sys

import pytest

from xhat.engine import kept_memory as rooms
from xhat.engine.kept_memory import kept_memory

resource = pytest.importorskip("resource", reason="page faults are counted on Unix alone")
GNU = hasattr(ctypes.CDLL(None), "gnu_get_libc_version")

# Page faults of rounds that take eight blocks of 8 MB and let them go.
COUNT = """
import contextlib, ctypes, resource, sys
from xhat.engine.kept_memory import kept_memory
c, size = ctypes.CDLL(None), ctypes.c_size_t(8_000_000)
c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
c.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
def rounds(n):
    for _ in range(n):
        held = [c.malloc(size) for _ in range(8)]
        for block in held: c.memset(block, 1, size)
        for block in held: c.free(block)
with kept_memory() if sys.argv[1] == "kept" else contextlib.nullcontext():
    rounds(3)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    rounds(10)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how, **environment):
    told = {name: value for name, value in os.environ.items() if name not in rooms.TOLD}
    done = subprocess.run(
        [sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True, env=told | environment
    )
    return int(done.stdout)


@pytest.mark.skipif(not GNU, reason="only glibc is told")
def test_memory_is_cleared_and_mapped_once_and_not_at_each_step():
    assert faults("kept") < 1000 < faults("as it is")


@pytest.mark.skipif(not GNU, reason="only glibc is told")
def test_a_users_own_settings_stand():
    assert faults("kept", MALLOC_TOP_PAD_="131072") > 1000


class Library:
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def mallopt(self, name, value):
        self.told.append((name, value))

    def malloc_trim(self, left):
        self.told.append("trim")


def test_of_fits_within_one_another_the_last_one_gives_memory_back(monkeypatch):
    library = Library()
    monkeypatch.setattr(rooms, "_glibc", lambda: library)
    with kept_memory():
        with kept_memory():
            pass
        assert "trim" not in library.told
    assert library.told[-2:] == [(rooms.TRIM_THRESHOLD, 2 * rooms.MAPPED), "trim"]


def test_where_there_is_no_such_library_it_is_done_without(monkeypatch):
    monkeypatch.setattr(rooms.ctypes, "CDLL", lambda name: object())
    assert rooms._glibc() is None
    with kept_memory():
        assert rooms._users == 0
