"""What the end of a fit prints."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from xhat.runs.verdict import EXACT, advice, numbers, verdict


def print_summary(summary: dict[str, Any]) -> None:
    """Print the model's error beside PCA's and the mean input's, and what there is to know."""
    console = Console(highlight=False)
    pca = summary["error.pca"]
    table = Table(box=None, padding=(0, 3, 0, 0))
    for name, side in (("validation", "left"), (summary["measure"], "right"), ("of PCA's", "right")):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    names = {"model": "this model", "pca": f"PCA, {numbers(summary)} components", "mean": "the mean input"}
    for key, name in names.items():
        error = summary[f"error.{key}"]
        table.add_row(name, f"{error:.6g}", f"{error / pca:.2f}" if pca > EXACT * summary["error.mean"] else "")
    console.print(table)
    console.print(
        f"{summary['active']} of {summary['code']} code dimensions active · {summary['parameters']:,} parameters · "
        f"{summary['epochs']} epochs · {summary['seconds']:.1f} s"
    )
    console.print(verdict(summary), style="bold", markup=False)
    for note in advice(summary):
        console.print(f"- {note}", markup=False)
