"""What a notebook shows of a fitted estimator: the facts, and some rows over their copies."""

from __future__ import annotations

import base64
import html
import io
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from xhat.runs.verdict import numbers, verdict

SHOWN = 8


def facts(summary: dict[str, Any]) -> str:
    """Write the verdict, and what it cost."""
    told = f"{numbers(summary)} numbers a row · {summary['epochs']} epochs · {summary['seconds']:.1f} s"
    return f"<p>{html.escape(verdict(summary))}<br><small>{html.escape(told)}</small></p>"


def strip(rows: NDArray[Any], copies: NDArray[Any]) -> str:
    """Draw rows over their copies as an image element: pictures as such, all else as lines."""
    rows, copies = rows[:SHOWN], copies[:SHOWN]
    figure = Figure(figsize=(SHOWN, 2), dpi=60)
    low, high = float(np.nanmin(rows)), float(np.nanmax(rows))
    pictures = rows.ndim > 2 and min(rows.shape[1:3]) > 1 and (rows.ndim == 3 or rows.shape[-1] in (1, 3))
    for line, shown in enumerate((rows, copies)):
        for place, row in enumerate(shown):
            axis = figure.add_subplot(2, SHOWN, line * SHOWN + place + 1)
            axis.set_axis_off()
            if pictures:
                axis.imshow((np.squeeze(row) - low) / ((high - low) or 1), cmap="gray_r", vmin=0, vmax=1)
            else:
                axis.plot(row.reshape(-1), linewidth=0.8)
                axis.set_ylim(low, high if high > low else low + 1)
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="rows over their copies" src="data:image/png;base64,{data}">'
