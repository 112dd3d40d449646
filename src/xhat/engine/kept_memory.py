"""Memory that steps free is kept for the next ones: what the system takes back it has to clear and map anew."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Of <malloc.h>.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
# The largest that glibc takes: smaller tensors come from its own heap, and not from the system one by one.
MAPPED = 32 << 20
# So much that is free at the heap's end is kept.
KEPT = 512 << 20
# A user's own settings, which stand.
TOLD = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")

_lock, _users = threading.Lock(), 0


@contextmanager
def kept_memory() -> Iterator[None]:
    """Let glibc keep what is freed while the context lasts; at its end all that is free goes back to the system.

    By its own rule it gives memory back whenever twice the largest tensor is free, which a step in large batches does
    many times: half a million page faults a minute, a seventh of the time. Afterwards it gives back what is free beyond
    64 MB, as it would by then; that tensors up to 32 MB come from its heap stays, for its own rule cannot be put back.
    Elsewhere nothing happens.
    """
    global _users
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(MMAP_THRESHOLD, MAPPED)
    libc.mallopt(TRIM_THRESHOLD, KEPT)
    with _lock:
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:  # of several fits in threads the last one
                libc.mallopt(TRIM_THRESHOLD, 2 * MAPPED)
                libc.malloc_trim(0)


def _glibc() -> Any:
    """Find the process's C library, where it is GNU's and the user has not told it what to do."""
    if any(name in os.environ for name in TOLD):
        return None
    try:
        libc = ctypes.CDLL(None)
        return libc if hasattr(libc, "gnu_get_libc_version") and hasattr(libc, "malloc_trim") else None
    except (OSError, TypeError):  # no C library, or none under this name
        return None
