"""Noisy digits, cleaned by a denoiser and by PCA, beside the clean ones.

python examples/denoised_digits.py denoised.png
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

import xhat

NOISE, SHOWN = 4.0, 12


def main(path: str, **settings: Any) -> None:
    """Learn from clean digits, clean unseen noisy ones, and draw them."""
    train, test = train_test_split(load_digits().images, random_state=0)
    noisy = test + NOISE * np.random.default_rng(0).normal(size=test.shape)
    denoiser = xhat.Denoiser(noise=NOISE, random_state=0, **settings).fit(train)
    pca = PCA(16).fit(train.reshape(len(train), -1))
    linear = pca.inverse_transform(pca.transform(noisy.reshape(len(noisy), -1))).reshape(noisy.shape)
    rows = {"noisy": noisy, "PCA, 16": linear, "Denoiser": denoiser.transform(noisy), "clean": test}

    figure = Figure(figsize=(7, 2.6), dpi=120)
    axes = figure.subplots(len(rows), SHOWN, gridspec_kw={"wspace": 0.06, "hspace": 0.06})
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for axis, image in zip(line, images, strict=False):
            axis.imshow(image, cmap="gray_r", vmin=0, vmax=16)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=6, fontsize=8)
    figure.savefig(path, bbox_inches="tight")
    errors = ", ".join(
        f"{name} {np.mean((images - test) ** 2):.2f}" for name, images in rows.items() if name != "clean"
    )
    print(f"error to the clean digits: {errors}: {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "denoised.png")
