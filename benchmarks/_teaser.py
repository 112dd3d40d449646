"""The first figure of Bigdeli and Zwicker, "Image Restoration using Autoencoding Priors", 2017, and ours beside it."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

# PSNR after so many iterations, in dB.
TEASER = {0: 23.12, 10: 24.17, 30: 26.43, 100: 29.1, 250: 29.9}


def curve(way: dict[int, float], path: Path) -> None:
    """Draw how the error falls, beside the paper's own figures."""
    figure = Figure(figsize=(5, 3), dpi=110, layout="constrained")
    axis = figure.subplots()
    axis.plot(way.keys(), way.values(), label="xhat: Set12's first picture, Levin's first kernel")
    axis.plot(TEASER.keys(), TEASER.values(), "o", label="the paper's teaser, another picture")
    axis.set(xlabel="iterations of daep", ylabel="PSNR, dB")
    axis.legend(fontsize=8)
    figure.savefig(path)
