"""Denoiser beside PCA: squared error to the clean rows, of rows that nobody learned from.

python benchmarks/denoising.py [--quick] [--keep]

Gaussian noise of three levels, as shares of the rows' range. Each method learns once from clean rows and once from rows
that hold the noise themselves; the noise's level is told to the denoiser where rows are clean and is measured by it
("auto") where they are not. PCA's number of components is chosen by the clean versions of a tenth of its training rows,
which the denoiser does not get. `--quick` measures digits alone, in under a minute; all of it takes some ten minutes on
one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
from _record import earlier, record, shared, table
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import xhat

Rows = NDArray[np.float64]
LEVELS = (0.1, 0.25, 0.5)
COMPONENTS = (2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
HEADER = ("data · noise · learned from", "noisy", "PCA", "its k", "Denoiser", "its k", "of PCA's", "seconds")
TRAIN, TEST = 10_000, 2_000


def sets(quick: bool) -> Iterator[tuple[str, Rows, Rows]]:
    """Give (name, training rows, test rows) on [0, 1]."""
    digits = load_digits().data / 16
    order = np.random.default_rng(0).permutation(len(digits))
    yield "digits", digits[order[:1400]], digits[order[1400:]]
    if not quick:
        with np.load(shared("mnist/mnist.npz")) as file:
            train, test = (file[name].reshape(len(file[name]), -1) / 255 for name in ("x_train", "x_test"))
        yield "mnist", train[:TRAIN], test[:TEST]


def error(clean: Rows, given: Rows) -> float:
    """Mean squared error, times 1,000 for the eye."""
    return 1000 * float(np.mean((clean - given) ** 2))


def best_pca(rows: Rows, noisy: Rows, clean: Rows) -> PCA:
    """Choose the number of components by held rows whose clean versions are known."""
    most = PCA(min(max(COMPONENTS), *rows.shape), random_state=0).fit(rows)
    errors = {}
    for k in (k for k in COMPONENTS if k <= most.n_components_):
        axes = most.components_[:k]
        errors[k] = error(clean, most.mean_ + (noisy - most.mean_) @ axes.T @ axes)
    return PCA(min(errors, key=lambda k: errors[k]), random_state=0).fit(rows)


def measure(train: Rows, test: Rows, level: float, how: str) -> list[object]:
    """Fit both, and measure them on the same noisy test rows."""
    random = np.random.default_rng(1)
    spoiled, noisy = (rows + level * random.normal(size=rows.shape) for rows in (train, test))
    rows = train if how == "clean" else spoiled
    held = slice(None, len(rows) // 10)
    pca = best_pca(rows, spoiled[held], train[held])
    start = time.perf_counter()
    ours = xhat.Denoiser(noise=level if how == "clean" else "auto", random_state=0).fit(rows)
    seconds = time.perf_counter() - start
    linear, mine = error(test, pca.inverse_transform(pca.transform(noisy))), error(test, ours.transform(noisy))
    return [error(test, noisy), linear, pca.n_components_, mine, ours.n_components_, mine / linear, seconds]


def main() -> None:
    """Measure every set, level and kind of rows; print each as it comes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="digits alone")
    parser.add_argument("--keep", action="store_true", help="write the result beside the script, line by line")
    asked = parser.parse_args()
    lines: dict[str, list[object]] = {}
    for name, train, test in sets(asked.quick):
        for level in LEVELS:
            for how in ("clean", "noisy"):
                key = f"{name} · {level:g} · {how}"
                found = earlier("denoising", [key]) if asked.keep else {}
                lines[key] = found.get(key) or [key, *measure(train, test, level, how)]
                print(table(HEADER, [lines[key]]).splitlines()[-1], flush=True)
                if asked.keep:
                    record("denoising", table(HEADER, list(lines.values())), keep=True)
    if not asked.keep:
        record("denoising", table(HEADER, list(lines.values())), keep=False)


if __name__ == "__main__":
    main()
