"""How fast xhat trains and encodes, beside its peers: every row of issue 7's table, interleaved, medians.

    python benchmarks/speed.py --quick
    python benchmarks/speed.py --keep --peer-python /path/to/python/with/pythae
    python benchmarks/speed.py mlp_vae tiny_table --rounds 3

A row is a file of `speed_rows/`. Its contenders train or encode the same rows with equal nets, each in a process of its
own with the same number of threads; rounds are interleaved and medians compared, since machines are noisy: read the
ratios. The first contender is what the others are held against; without `--peer-python` (or the variable
XHAT_PEER_PYTHON) peers are left out. `--keep` writes row by row to `results/speed.jsonl`, so that a run that is stopped
loses nothing and rows can be measured one by one; the dated table holds the latest of each that were measured that
day. `--clock cpu` counts the processor's own time, for busy machines.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import time
from datetime import date
from typing import Any

import speed_rows
from _record import RESULTS, record, table
from speed_rows._row import Options

KEPT = RESULTS / "speed.jsonl"
# What a minute is enough for: a row of each kind of work.
QUICK = ["conv_ae", "encode", "many_models", "mlp_vae", "sooner_digits_pca", "start_up", "tiny_table", "two_processes"]


def names() -> list[str]:
    """List the rows there are."""
    return sorted(m.name for m in pkgutil.iter_modules(speed_rows.__path__) if not m.name.startswith("_"))


def body(lines: list[dict[str, object]]) -> str:
    """Lay out what was measured, as the issue's table does."""
    header = ("work", "", "median", "lowest", "highest", "unit", "times the first", "goal", "threads", "rounds")
    rows = [
        (
            line["work"],
            line["contender"],
            line["median"],
            line["lowest"],
            line["highest"],
            line["unit"],
            "" if line["times"] is None else f"{line['times']:.2f} x",
            "" if line["goal"] is None else f">= {line['goal']} x",
            line["threads"],
            line["rounds"],
        )
        for line in lines
    ]
    return table(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"which: {', '.join(names())}; all by default")
    parser.add_argument("--quick", action="store_true", help="one round of few steps, without compiling, of some rows")
    parser.add_argument("--keep", action="store_true", help="keep the result beside the script")
    parser.add_argument("--rounds", type=int, help="rounds of each row; 5 by default")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of every contender; all by default")
    peer = os.environ.get("XHAT_PEER_PYTHON")
    parser.add_argument("--peer-python", default=peer, help="a Python that has pythae; without it peers are left out")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu where others use the machine")
    chosen = parser.parse_args()
    if unknown := set(chosen.rows) - set(names()):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; known are {', '.join(names())}")
    options = Options(chosen.quick, chosen.peer_python, chosen.threads, chosen.clock)
    rounds = chosen.rounds or (1 if chosen.quick else 5)
    lines: list[dict[str, object]] = []
    for name in chosen.rows or (QUICK if chosen.quick else names()):
        row, start = importlib.import_module(f"speed_rows.{name}").row(options), time.perf_counter()
        print(f"{name}: {row.title}", flush=True)
        about = {
            "date": str(date.today()),
            "row": name,
            "threads": options.threads,
            "rounds": rounds,
            "clock": chosen.clock,
            "quick": chosen.quick,
            "at": round(time.time()),
        }
        measured = row.measure(rounds, options.threads, lambda text: print(text, flush=True))
        print(f"  {time.perf_counter() - start:.0f} s", flush=True)
        lines += [about | line for line in measured]
        if chosen.keep:
            RESULTS.mkdir(exist_ok=True)
            with KEPT.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(about | line) + "\n" for line in measured)
    record("speed", body(_of_today() if chosen.keep else lines), keep=chosen.keep)


def _of_today() -> list[dict[str, object]]:
    """Read what was kept today: of each row its latest measurement that was not a quick one, else that."""
    kept = [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()]
    today = [line for line in kept if line["date"] == str(date.today())]
    latest: dict[str, tuple[bool, int]] = {}
    for line in today:
        latest[line["row"]] = max(latest.get(line["row"], (False, 0)), _rank(line))
    return sorted((line for line in today if _rank(line) == latest[line["row"]]), key=lambda line: line["row"])


def _rank(line: dict[str, Any]) -> tuple[bool, int]:
    return not line.get("quick", False), line.get("at", 0)


if __name__ == "__main__":
    main()
