"""What every benchmark prints and keeps: a table, the command, the date and the hardware."""

from __future__ import annotations

import platform
import sys
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"
SHARED = Path(__file__).parents[2] / "shared" / "data"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out a Markdown table; floats to four digits."""
    cells = [[f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row] for row in (header, *rows)]
    cells.insert(1, ["---"] * len(header))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def record(name: str, body: str, *, keep: bool) -> None:
    """Print a result; with `keep` also write it under today's date beside the script."""
    cpu = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine())
    # A path of this machine is of use on no other.
    words = ["PATH" if Path(word).is_absolute() else word for word in sys.argv[1:]]
    how = f"`{' '.join(['python', f'benchmarks/{name}.py', *words])}`"
    text = (
        f"# {name}\n\n{date.today()} · {how} · {cpu}, {torch.get_num_threads()} threads · "
        f"torch {torch.__version__}\n\n{body}\n"
    )
    print(text)
    if keep:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{date.today()}-{name}.md").write_text(text, encoding="utf-8")


def earlier(name: str, keys: Collection[str]) -> dict[str, list[object]]:
    """Read the lines that were kept today, by their first cell, so that runs made one by one end up in one table."""
    path = RESULTS / f"{date.today()}-{name}.md"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    cells = ([cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines)
    return {row[0]: list(row) for row in cells if row[0] in keys}


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def shared(name: str) -> Path:
    """Find a file of the development data, or stop with a line that says what is missing."""
    path = SHARED / name
    if not path.exists():
        sys.exit(f"{Path(sys.argv[0]).name}: needs {name} in {SHARED}, which is not there")
    return path
