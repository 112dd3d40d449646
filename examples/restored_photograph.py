"""A photograph that is noisy, blurred or has gaps, and what `xhat.restore` makes of it, beside its doubt.

python examples/restored_photograph.py restored.png        # about a minute on one core
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image

import xhat
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.denoise import Denoise
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.uncertainty import uncertain

SIDE = 128


def main(path: str, prior: Any = "default", side: int = SIDE) -> None:
    """Spoil a part of a photograph in three ways, restore it, and draw it."""
    photograph = load_sample_image("china.jpg")[110 : 110 + side, 240 : 240 + side]  # (H, W, 3) bytes
    x = torch.from_numpy(photograph / 255.0).float().permute(2, 0, 1)[None]  # (1, 3, H, W)
    draws = torch.Generator().manual_seed(0)
    ways = {
        "noise of 25": (Denoise(), 25 / 255),
        "blur": (Blur(torch.eye(9) / 9), 5 / 255),
        "60 % hidden": (Inpaint(torch.rand(side, side, generator=draws) < 0.4), 0.0),
    }
    figure = Figure(figsize=(7.2, 5.4), dpi=120)
    axes = figure.subplots(len(ways), 4, gridspec_kw={"wspace": 0.04, "hspace": 0.04})
    for row, (name, (operator, sigma)) in enumerate(ways.items()):
        clean = operator(x)
        y = clean + sigma * torch.randn(clean.shape, generator=draws)
        answer = xhat.restore(y, operator, prior, sigma)
        found = uncertain(y, operator, prior, sigma)
        truth = operator.covered(x)
        numbers = " ".join(f"{psnr(image, truth):.1f}" for image in (y, answer, found.picture))
        print(f"{name}: {numbers} dB before, after, and as the mean of eight answers")
        shown = {"before": y, "after": answer, "doubt": torch.tensor(2 * found.spread)[:, None], "the truth": truth}
        for axis, (title, image) in zip(axes[row], shown.items(), strict=True):
            pixels = image[0].clamp(0, 1).permute(1, 2, 0).numpy()
            axis.imshow(pixels, cmap="gray", vmin=0, vmax=None if title == "doubt" else 1)
            axis.set(xticks=[], yticks=[])
            axis.set_title("" if row else title, fontsize=9)
        axes[row, 0].set_ylabel(name, fontsize=9)
    figure.savefig(path, bbox_inches="tight")
    print(f"drawn: {path}")


def psnr(x: torch.Tensor, truth: torch.Tensor) -> float:
    """Give the peak signal-to-noise ratio in dB."""
    return float(-10 * (x.clamp(0, 1) - truth).square().mean().log10())


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "restored.png")
