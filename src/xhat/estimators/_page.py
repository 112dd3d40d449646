"""What a notebook shows of a fitted estimator: the facts, and some rows over their copies."""

from __future__ import annotations

import base64
import html
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xhat.runs.verdict import numbers

SHOWN = 8
# Rows that are lines need more room than pictures.
LINES = 4
# Features whose ranges differ by more have units of their own.
UNLIKE = 20


def facts(said: str, summary: dict[str, Any]) -> str:
    """Write a verdict, and what the fit cost."""
    told = f"{numbers(summary)} numbers a row · {summary['epochs']} epochs · {summary['seconds']:.1f} s"
    lead = f"{html.escape(_in_python(said))}<br>" if said else ""
    return f"<p>{lead}<small>{html.escape(told)}</small></p>"


def strip(rows: NDArray[Any], copies: NDArray[Any]) -> str:
    """Draw rows and their copies as an image element: pictures above one another, all else as lines over lines."""
    from matplotlib.figure import Figure  # an eighth of a second that only notebooks need

    low, high = float(np.nanmin(rows)), float(np.nanmax(rows))
    high = high if high > low else low + 1
    pictures = rows.ndim > 2 and min(rows.shape[1:3]) > 1 and (rows.ndim == 3 or rows.shape[-1] in (1, 3))
    figure = Figure(figsize=(SHOWN, 2 if pictures else 1), dpi=72, layout="constrained")
    if pictures:
        said = "rows, and their copies below"
        axes = figure.subplots(2, SHOWN, squeeze=False)
        for line, shown in zip(axes, (rows, copies), strict=True):
            for axis, row in zip(line, shown, strict=False):
                axis.imshow(np.clip((np.squeeze(row) - low) / (high - low), 0, 1), cmap="gray_r", vmin=0, vmax=1)
    else:
        said = "grey: rows; blue: their copies"
        least, most = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
        ranges = np.where(most > least, most - least, 1.0)
        if rows.ndim == 2 and ranges.max() > UNLIKE * np.median(ranges):
            rows, copies, low, high = (rows - least) / ranges, (copies - least) / ranges, -0.1, 1.1
            said += "; each feature on a range of its own"
        axes = figure.subplots(1, LINES, squeeze=False)
        for axis, row, copy in zip(axes[0], rows, copies, strict=False):
            axis.plot(row.reshape(-1), color="#999999", linewidth=2.2)
            axis.plot(copy.reshape(-1), color="#0b67c2", linewidth=1)
            axis.set_ylim(low, high)
    for axis in axes.flat:
        axis.set_axis_off()
    file = io.BytesIO()
    figure.savefig(file, format="png")
    data = base64.b64encode(file.getvalue()).decode()
    return f'<p><img alt="{said}" src="data:image/png;base64,{data}"><br><small>{said}</small></p>'


def _in_python(said: str) -> str:
    """Call options as an estimator's arguments are called."""
    return said.replace("--init pca", "init='pca'").replace("--lr", "learning_rate")
