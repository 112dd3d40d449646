"""A comparison's page: the table and its figure, one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from xhat.core.files import write_bytes
from xhat.report.draw import ACCENT, INK, MUTED, svg
from xhat.report.templates import render
from xhat.report.words import number
from xhat.runs.compare import Comparison

MARKS = {"PCA": ("o", MUTED, "-"), "Kernel PCA": ("s", MUTED, "--"), "NMF": ("^", MUTED, ":")}


def write_comparison(comparison: Comparison, path: str | Path) -> Path:
    """Write the page: below a megabyte, without scripts, and asking nothing of any network.

    Raises
    ------
    ArtifactError
        When the file cannot be written.
    """
    write_bytes(Path(path), compose(comparison).encode())
    return Path(path)


def compose(comparison: Comparison) -> str:
    """Give the page."""
    numbers = sorted({line.k for line in comparison.lines})
    return render(
        "comparison.html.j2",
        filters={"number": number},
        comparison=comparison,
        best={k: comparison.best(k) for k in numbers},
        sentence=sentence(comparison),
        tone=tone(comparison),
        figure=draw(comparison) if len(numbers) > 1 else "",
    )


def sentence(comparison: Comparison) -> str:
    """Say where the model stands, for every number k."""
    own = [line for line in comparison.lines if line.method == comparison.kind and line.ratio is not None]
    if not own:
        return "PCA copies these rows exactly; no other method can do better."
    first, *others = (f"{line.ratio:.2f}{' of PCA’s' * (line is own[0])} with {line.k}" for line in own)
    said = ", ".join([f"{first} numbers a row" if own[0].k > 1 else f"{first} number a row", *others])
    wins = sum(comparison.best(line.k) is line for line in own)
    where = "everywhere" if wins == len(own) else "nowhere" if not wins else f"in {wins} of {len(own)} cases"
    return f"The error of {comparison.kind} is {said}: the least {where}."


def tone(comparison: Comparison) -> str:
    """Give "good" where the model is never worse than PCA, "poor" where it always is, else "fair"."""
    won = [line.ratio <= 1 for line in comparison.lines if line.method == comparison.kind and line.ratio is not None]
    return "good" if all(won) else "fair" if any(won) else "poor"


def draw(comparison: Comparison) -> Markup:
    """Draw error against k, a line a method."""
    methods = list(dict.fromkeys(line.method for line in comparison.lines))
    numbers = sorted({line.k for line in comparison.lines})

    def fill(axes: Axes) -> None:
        for method in methods:
            lines = [line for line in comparison.lines if line.method == method]
            marker, colour, style = MARKS.get(method, ("o", ACCENT, "-"))
            axes.plot(
                [line.k for line in lines],
                [line.error for line in lines],
                marker=marker,
                color=colour,
                linestyle=style,
                label=method,
            )
        axes.set_xscale("log")
        axes.set_xticks(numbers, [str(k) for k in numbers])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("numbers a row, k")
        axes.set_ylabel("mean squared error")
        axes.set_ylim(0, None)
        axes.legend(frameon=False, labelcolor=INK, fontsize=11)

    ends = [f"{line.method} {number(line.error)} with {line.k}" for line in comparison.lines]
    return svg(fill, f"Error by numbers a row: {', '.join(ends)}.")
