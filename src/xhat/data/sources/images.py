"""Folders of images, decoded in worker processes when they are asked for."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xhat.core.errors import DataError
from xhat.core.shapes import Shape
from xhat.data.layout import Rows
from xhat.data.source import Source

# Images that a worker decodes at a time: enough to pay for the message.
TOGETHER = 16
# Beyond these the disk is what is waited for.
MOST = 8
# Seconds between two looks of a worker for the process that it works for.
LOOK = 0.5

Decode = Callable[[Path, str, tuple[int, int]], Rows]


class ImageRows(Source):
    """Images of one mode and size, a file each.

    Threads would share Python's lock with the training; processes have their own. They start with the first rows that
    are asked for, live as long as the source, and ignore Ctrl-C, which is for the run to answer. Where the process that
    asks them was killed they end too.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    name : str
        The source's short name.
    decode : function
        (path, mode, (H, W)) -> (H, W) or (H, W, 3), a module's own function.
    mode : str
        "L" or "RGB".
    size : tuple of int
        (H, W).
    """

    cheap = False

    def __init__(self, paths: Sequence[Path], name: str, decode: Decode, mode: str, size: tuple[int, int]) -> None:
        self.name, self.paths, self.decode, self.mode, self.size = name, list(paths), decode, mode, size
        self.shape: Shape = (len(self.paths), *size, *((3,) if mode == "RGB" else ()))
        self.dtype = np.dtype(np.uint8)
        self._pool: ProcessPoolExecutor | None = None

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Decode images, in parts of sixteen side by side."""
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        parts = [range(i, min(i + TOGETHER, len(rows))) for i in range(0, len(rows), TOGETHER)]
        if len(parts) < 2:
            return _decoded((self.decode, self._paths(rows), self.mode, self.size)) if len(rows) else out
        asked = [(self.decode, self._paths(rows[part.start : part.stop]), self.mode, self.size) for part in parts]
        try:
            for part, images in zip(parts, self._workers().map(_decoded, asked), strict=True):
                out[part.start : part.stop] = images
        except BrokenProcessPool as error:
            rule, hint = "a process that decodes images was ended", "allow it more memory, or make the images smaller"
            raise DataError(self.name, rule, hint=hint) from error
        return out

    def _paths(self, rows: NDArray[np.int64]) -> list[Path]:
        return [self.paths[row] for row in rows.tolist()]

    def _workers(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Forked where it can be: they only decode, and need not import torch again.
            how = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
            count = _workers_of_this_process()
            context = multiprocessing.get_context(how)
            self._pool = ProcessPoolExecutor(count, context, initializer=_attend, initargs=(os.getpid(),))
            weakref.finalize(self, self._pool.shutdown, wait=False, cancel_futures=True)
            with warnings.catch_warnings():
                # Python warns of forks beside threads, which may hold locks: what is forked here takes none of theirs.
                warnings.simplefilter("ignore", DeprecationWarning)
                list(self._pool.map(abs, range(count)))
        return self._pool


def _decoded(asked: tuple[Decode, list[Path], str, tuple[int, int]]) -> Rows:
    decode, paths, mode, size = asked
    return np.stack([decode(path, mode, size) for path in paths])


def _workers_of_this_process() -> int:
    """Count the processors that this process may use, which those of one run on this machine share."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    beside = os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("WORLD_SIZE") or "1"
    return max(1, min(cores // max(1, int(beside) if beside.isdecimal() else 1), MOST))


def _attend(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: int) -> None:
    """End this worker once another process has adopted it; on Windows none does."""
    # Not by the kernel's PR_SET_PDEATHSIG: that signal comes when the thread ends that forked, mostly one of `ahead`.
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)
