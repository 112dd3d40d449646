"""A row of one process with all threads beside processes that share them."""

from __future__ import annotations

import json
from typing import Any

from speed_rows._row import Contender, Options, Row
from speed_rows._training import XHAT

# Each gets its share of the cores, as with --processes.
STARTER = f"""
import os, sys
from xhat.cli.launch import launch
os.environ.pop("OMP_NUM_THREADS"), os.environ.pop("MKL_NUM_THREADS")
sys.exit(launch(2, sys.argv[1:], (sys.executable, "-c", {XHAT!r})))
"""
GOAL = 0.85


def apart(title: str, options: Options, **work: Any) -> Row:
    """Put a row together; `work` is that of `fits`."""
    if options.quick:
        work["steps"] = max(work["steps"] // 8, 10)
        work["rows"] = min(work["rows"], 20 * work["batch"])
    given = json.dumps(work | {"clock": "wall", "settings": {"compile": "off"}})
    both = "two processes"
    contenders = {
        f"one process, {options.threads} threads": Contender(XHAT, (given,)),
        both: Contender(STARTER, (given,)),
    }
    return Row(f"{title}, in two processes", contenders, {both: GOAL})
