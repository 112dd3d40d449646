"""Seconds until a command line answers: `import xhat`, `xhat --help`, and beside them Python alone and Pythae."""

from __future__ import annotations

from speed_rows._row import Contender, Options, Row

# The least of some starts, in processes of their own.
STARTS = """
import subprocess, sys, time
def seconds():
    start = time.perf_counter()
    subprocess.run([sys.executable, *sys.argv[2:]], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start
print(min(seconds() for _ in range(int(sys.argv[1]))))
"""
# Without the interpreter's own start.
IMPORT = """
import time
start = time.perf_counter()
import xhat
print(time.perf_counter() - start)
"""


def row(options: Options) -> Row:
    starts = 2 if options.quick else 5
    peers = {"import pythae.models": Contender(STARTS, (starts, "-c", "import pythae.models"), options.peer or "")}
    ours = {
        "python alone": Contender(STARTS, (starts, "-c", "pass")),
        "import xhat": Contender(IMPORT),
        "xhat --help": Contender(STARTS, (starts, "-m", "xhat", "--help")),
    }
    title = "start: import xhat in 0.1 s, xhat --help in 0.3 s"
    return Row(title, (peers if options.peer else {}) | ours, unit="s", less=True)
