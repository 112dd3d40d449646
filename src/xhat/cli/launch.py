"""``--processes``: the same command line in several processes on this machine, which end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from xhat.core.errors import require

# The words of the command line in hand.
COMMAND: ContextVar[tuple[str, ...]] = ContextVar("COMMAND", default=())
# Tells a process that its starter will say what happened to another one.
STARTED = "XHAT_STARTED"
PROGRAM = (sys.executable, "-m", "xhat")
# How a process ends that only noticed that another one had gone.
GONE = 3
# So many are started whatever the machine: to try how several behave.
FEW = 8
# How long those left get to end by themselves, in seconds: those of a diverged run save what was best.
GRACE = {"killed": 5.0, "failed": 60.0}


def wanted(processes: int | None) -> bool:
    """Whether this process shall start others and not train itself.

    Raises
    ------
    ConfigError
        When fewer than one are asked for, more than there are cores, or others than a launcher has started.
    """
    rule, hint = "--processes must be a whole number >= 1", "as many as there are GPUs, or leave it out for one"
    require(processes is None or processes >= 1, "fit", rule, processes, hint)
    most = max(_cores(), FEW)
    rule, hint = f"--processes must be at most {most}, for this machine has {_cores()} cores", "start fewer"
    require(processes is None or processes <= most, "fit", rule, processes, hint)
    told = int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1
    if processes is None or processes == told:
        return False
    require(
        told == 1, "fit", f"a launcher has started {told} processes already", f"--processes {processes}", "leave it out"
    )
    return True


def speaks() -> bool:
    """Whether this process prints and writes: alone or the first of several."""
    return os.environ.get("RANK", "0") == "0"


def launch(processes: int, words: Sequence[str] | None = None, program: Sequence[str] = PROGRAM) -> int:
    """Run a command line in `processes` processes; where one fails or is killed, end the others and say why.

    Each is told its number as Accelerate's and torch's launchers tell it. The first one keeps the terminal.

    Parameters
    ----------
    processes : int
        How many.
    words : sequence of str, optional
        The command line, without the program; the one in hand by default.
    program : sequence of str
        What runs it.

    Returns
    -------
    int
        The exit status: the first process's, or of the one that failed; 1 where one was killed.
    """
    words = COMMAND.get() if words is None else words
    with TemporaryDirectory() as folder:
        said = [Path(folder, str(rank)) for rank in range(processes)]
        children: list[subprocess.Popen[bytes]] = []
        try:
            _start(children, processes, [*program, *words], said)
            with _passed_on(children):
                status, reason = _ended(children, said)
        finally:
            _end(children)
    if reason:
        print(f"xhat: {reason}", file=sys.stderr)
    return status


def _start(children: list[subprocess.Popen[bytes]], processes: int, words: Sequence[str], said: list[Path]) -> None:
    """Start them one by one; `children` holds those that there are, whatever happens meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = {STARTED: "1", "WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    told |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    # Threads of several processes that share a core only wait for one another.
    told["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", str(max(_cores() // processes, 1)))
    for rank in range(processes):
        with said[rank].open("wb") as file:
            children.append(
                subprocess.Popen(
                    words,
                    env=os.environ | told | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL if rank else None,
                    stderr=file if rank else None,
                    start_new_session=True,  # Ctrl-C comes to the starter alone, who passes it on once
                )
            )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _ended(children: list[subprocess.Popen[bytes]], said: list[Path]) -> tuple[int, str]:
    """Wait until all have ended or one has failed; give the exit status, and what is left to say."""
    until = float("inf")
    while None in (polled := [child.poll() for child in children]) and time.monotonic() < until:
        if until == float("inf") and any(polled):
            until = time.monotonic() + GRACE["killed" if min(end or 0 for end in polled) < 0 else "failed"]
        time.sleep(0.05)
    ends = [child.returncode or 0 for child in children]
    hint = "Continue with xhat fit --resume and the run's folder, if it has begun to train."
    failed = [rank for rank, end in enumerate(ends) if end not in (0, GONE)]
    if not failed:
        return (1, f"the processes have lost one another. {hint}") if any(ends) else (0, "")
    # One that was killed explains what others noticed.
    rank = min(failed, key=lambda rank: (ends[rank] > 0, rank))
    if ends[rank] < 0:
        name = signal.Signals(-ends[rank]).name
        return 1, f"process {rank + 1} of {len(children)} was killed by {name}, and the others were ended. {hint}"
    if ends[0] not in (0, GONE):
        return ends[0], ""  # it has said itself why
    lines = [line for line in said[rank].read_text(errors="replace").splitlines() if line.strip()]
    last = lines[-1].removeprefix("xhat: ") if lines else f"exit status {ends[rank]}"
    return ends[rank], f"process {rank + 1} of {len(children)}: {last}"


@contextmanager
def _passed_on(children: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Pass on what asks this process to stop."""

    def tell(number: int, _frame: FrameType | None) -> None:
        for child in children:
            if child.poll() is None:
                child.send_signal(number)

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), tell) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    until = time.monotonic() + 5
    for child in children:
        try:
            child.wait(max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
