"""Memory that steps free is kept for the next ones: what the system takes back it has to clear and map anew."""

from __future__ import annotations

import ctypes
import os
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


@contextmanager
def kept_memory() -> Iterator[None]:
    """Let glibc keep what is freed while the context lasts; at its end all that is free goes back to the system.

    By its own rule it gives memory back whenever twice the largest tensor is free, which a step in large batches does
    many times: half a million page faults a minute, a seventh of the time. Elsewhere nothing happens.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(MMAP_THRESHOLD, MAPPED)
    libc.mallopt(TRIM_THRESHOLD, KEPT)
    try:
        yield
    finally:
        libc.mallopt(TRIM_THRESHOLD, 2 * MAPPED)  # where its own rule would be by now
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
