"""Handwritten digits, their copies through 8 numbers by an autoencoder, and by PCA: the picture of the README.

python examples/digits_beside_pca.py docs/images/digits.png
"""

from __future__ import annotations

import sys

import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

import xhat

CODE, SHOWN = 8, 16


def main(path: str, **settings: int) -> None:
    """Train, copy rows that were not learned from, and draw them."""
    digits = xhat.data.open("digits")
    model = xhat.fit(digits, latent=CODE, **settings)
    split = digits.split(seed=0)  # the split that the fit made
    train, held = (digits.x[rows].numpy().reshape(len(rows), -1) for rows in (split.train, split.validation))
    pca = PCA(CODE).fit(train)
    linear = pca.inverse_transform(pca.transform(held))
    copies = model.reconstruct(digits.subset(split.validation)).reshape(len(held), -1)
    errors = {"digits": None, "xhat": np.mean((copies - held) ** 2), "PCA": np.mean((linear - held) ** 2)}

    figure = Figure(figsize=(8, 1.85), dpi=150)
    axes = figure.subplots(3, SHOWN, gridspec_kw={"wspace": 0.06, "hspace": 0.06})
    for line, (name, rows) in zip(axes, zip(errors, (held, copies, linear), strict=True), strict=True):
        for axis, row in zip(line, rows[:SHOWN], strict=True):
            axis.imshow(row.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        error = errors[name]
        label = "unseen\ndigits" if error is None else f"{name}, {CODE}\nerror {error:.2f}"
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6, fontsize=8)
    figure.savefig(path, bbox_inches="tight")
    print(f"error {errors['xhat'] / errors['PCA']:.2f} of PCA's: {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "digits.png")
