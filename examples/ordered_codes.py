"""One fit, any number of components: the elbow of handwritten digits, beside PCA's.

python examples/ordered_codes.py elbow.png
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

CODE = 16


def main(path: str, **settings: Any) -> None:
    """Fit once, cut the code at every length, and draw the error of copies of unseen rows."""
    train, test = train_test_split(load_digits().data, random_state=0)
    ae = xhat.AE(CODE, ordered=True, random_state=0, **settings).fit(train)
    pca = PCA(CODE).fit(train)
    centred = test - pca.mean_
    linear = [np.mean((centred - centred @ pca.components_[:k].T @ pca.components_[:k]) ** 2) for k in range(CODE + 1)]

    figure = Figure(figsize=(5.5, 3.6), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.plot(linear, marker="o", color="0.6", label="PCA")
    ae.plot_error_curve(test, axes)
    axes.lines[-1].set_label("xhat.AE(ordered=True), one fit")
    axes.legend(frameon=False)
    axes.set_title("Unseen digits from their first k numbers")
    figure.savefig(path)

    three = ae.transform(test, n_components=3)
    copies = ae.inverse_transform(three)
    print(f"error from 3 numbers: {np.mean((test - copies) ** 2):.2f}, PCA {linear[3]:.2f}: {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "elbow.png")
