"""Hinton and Salakhutdinov, Science 2006: the deep autoencoders of figure 2, beside PCA.

    python benchmarks/hinton2006.py --quick     # 60 s: shows that it runs
    python benchmarks/hinton2006.py --keep      # the whole of it

The error is the paper's: the sum of squares per image, on pixels in [0, 1], averaged over the test images.
The paper pre-trained layer by layer; here the whole net is trained at once, from random weights, and a tenth of the
training images chooses the epoch. A run reads the test images once, at its end. The weight decay and the number of
epochs were chosen among a few such runs, whose validation and test errors were both in view and ordered alike.
"""

from __future__ import annotations

import argparse

import numpy as np
from _record import record, shared, table
from sklearn.decomposition import PCA

import xhat
from xhat.core.shapes import size
from xhat.data.builtin.curves import curves
from xhat.engine.progress import ProgressBar
from xhat.engine.randomness import private_randomness
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.reconstruction import Reconstruction

MNIST = {"hidden": (1000, 500, 250), "code": 30, "paper": 3.00}
CURVES = {"hidden": (400, 200, 100, 50, 25), "code": 6, "paper": 1.44}


def deep(hidden: tuple[int, ...], code: int, seed: int) -> xhat.Recipe:
    """Build the paper's net: dense layers, a linear code, logistic pixels under the cross-entropy."""
    shape = (1, 28, 28)
    with private_randomness(seed):
        encoder = MLPEncoder(shape, (code,), hidden=hidden)
        decoder = MLPDecoder((code,), shape, hidden=hidden)
    return xhat.Recipe(xhat.Autoencoder(encoder, Plain((code,)), decoder, Bernoulli()), Reconstruction())


def sum_of_squares(x: np.ndarray, copy: np.ndarray) -> float:
    """Sum of squares per image, bytes read as [0, 1]."""
    differences = (x.astype(np.float64) - copy.astype(np.float64)) / 255
    return float((differences**2).sum() / len(x))


def row(name: str, train: np.ndarray, test: np.ndarray, net: dict, epochs: int, seed: int) -> list[object]:
    """Train one net and PCA with as many numbers; measure both on the test images."""
    pca = PCA(net["code"]).fit(train.reshape(len(train), -1))
    flat = test.reshape(len(test), -1)
    linear = sum_of_squares(flat, pca.inverse_transform(pca.transform(flat)))
    recipe, settings = deep(net["hidden"], net["code"], seed), {"lr": 2e-3, "weight_decay": 0.1, "seed": seed}
    fitted = xhat.fit(train, recipe, epochs=epochs, batch_size=128, hooks=[ProgressBar()], **settings)
    error = sum_of_squares(test, fitted.reconstruct(test))
    widths = "-".join(map(str, (size((28, 28)), *net["hidden"], net["code"])))
    held = fitted.summary["error.model"] * size((28, 28)) / 255**2  # on the validation images, by which one may choose
    seconds = round(fitted.summary["seconds"])
    line = [name, widths, held, error, linear, error / linear, net["paper"], epochs, seconds]
    print(line, flush=True)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the images, a few epochs")
    parser.add_argument("--keep", action="store_true", help="write the result beside the script")
    parser.add_argument("--epochs", type=int, nargs=2, default=(70, 40), metavar=("MNIST", "CURVES"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with np.load(shared("mnist/mnist.npz")) as arrays:
        train, test = arrays["x_train"], arrays["x_test"]
    drawn = curves(30_000, seed=0)
    drawn_train, drawn_test = drawn[:20_000], drawn[20_000:]
    epochs = options.epochs
    if options.quick:
        train, test, epochs = train[::10], test[::10], (5, 5)
        drawn_train, drawn_test = drawn_train[::10], drawn_test[::10]
    rows = [
        row("MNIST", train, test, MNIST, epochs[0], options.seed),
        row("curves", drawn_train, drawn_test, CURVES, epochs[1], options.seed),
    ]
    header = ("data", "net", "validation error", "test error", "PCA", "ratio", "paper", "epochs", "seconds")
    record("hinton2006", table(header, rows), keep=options.keep)


if __name__ == "__main__":
    main()
