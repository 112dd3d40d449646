"""Codes: their first two principal directions, coloured by label."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor

from xhat.report.colouring import Classes, Colouring, colouring
from xhat.report.draw import CARD, INK, svg
from xhat.report.evidence import Evidence
from xhat.report.figure import Figure, empty

TITLE = "Codes"
POINTS = 2000


def codes(evidence: Evidence) -> Figure:
    """Scatter validation rows by their codes."""
    step = -(-len(evidence.z) // POINTS)
    z = evidence.z[::step]
    if len(z) < 3 or not bool((z != z[0]).any()):
        return empty(TITLE, "The validation rows all have the same code, or are too few to be drawn.")
    colours = colouring(evidence, step)
    labels: tuple[str, str]
    if z.shape[1] == 1:
        xy, labels = _strip(z[:, 0], colours), ("the code", "")
        layout = "the code's only dimension; heights mean nothing"
    else:
        # The solver's own draws, if it makes any, come from its own seed.
        pca = PCA(2, random_state=0)
        xy = pca.fit_transform(z.double().numpy())
        first, second = (f"{100 * share:.0f} % of variance" for share in pca.explained_variance_ratio_)
        labels = f"first direction, {first}", f"second direction, {second}"
        layout = f"the first two principal directions of the {z.shape[1]}-dimensional codes"
    equal = z.shape[1] > 1
    size = min(max(8000 / len(z), 9.0), 32.0)  # square pixels: few points may be large

    def draw(axes: Axes) -> None:
        axes.grid(False)
        axes.scatter(xy[:, 0], xy[:, 1], s=size, c=colours.rgba, linewidths=0, alpha=0.8, rasterized=True)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        if equal:
            axes.set_aspect("equal", adjustable="datalim")
        else:
            axes.set_yticks([])
        if isinstance(colours, Classes):
            for text, (x, y) in colours.middles(xy):
                # Never parsed as mathematics: a class may be called "$".
                halo = [withStroke(linewidth=3, foreground=CARD)]
                axes.text(
                    x,
                    y,
                    text,
                    ha="center",
                    va="center",
                    weight="bold",
                    size=13,
                    color=INK,
                    parse_math=False,
                    path_effects=halo,
                )

    picture = svg(draw, f"Scatter of {len(z)} validation rows by their codes, coloured by {colours.by}.", height=345)
    caption = (
        f"{len(z):,} validation rows at {layout}, coloured by {colours.by}. {colours.advice} Distances of directions "
        "that are not drawn do not show."
    )
    return Figure(TITLE, caption, picture + colours.legend)


def _strip(z: Float[Tensor, "N"], colours: Colouring) -> NDArray[np.float64]:
    height = np.random.default_rng(0).uniform(-0.4, 0.4, len(z))
    band = colours.index if isinstance(colours, Classes) else 0
    return np.stack([z.double().numpy(), height + band], 1)
