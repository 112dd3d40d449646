"""Sparse autoencoders on the activations of a trained net: L0 against its target, variance explained, dead units.

    python benchmarks/sparse_codes.py --quick     # under a minute: shows that it runs
    python benchmarks/sparse_codes.py --keep      # the whole of it

The activations are a classifier's: a perceptron's 128 hidden units, after ReLU, on a quarter of MNIST.
Linear dictionaries of 1024 words, each bottleneck as its recipe makes it. No setting differs between lines but the
target. L0 is measured on the images given to the fit, a tenth of which chose the epoch, and on the test images, of
which neither net has seen any; there it is what those images ask of the same thresholds. The variance explained is of
the test images. Dead units are those that none of the first makes fire.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from _record import record, shared, table
from torch import nn
from torch.nn.functional import cross_entropy

import xhat
from xhat.core.bottleneck import Bottleneck
from xhat.engine.randomness import private_randomness
from xhat.metrics.sparsity import sparsity
from xhat.parts.bottlenecks.batch_topk import BatchTopK
from xhat.parts.bottlenecks.jump_relu import JumpReLU
from xhat.parts.bottlenecks.topk import TopK
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.objectives.revival import Revival

WIDTH, WORDS = 128, 1024
TARGETS = (8, 16, 32)
KINDS: dict[str, type[Bottleneck]] = {"topk": TopK, "batch_topk": BatchTopK, "jump_relu": JumpReLU}


def activations(seed: int, step: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Train a classifier; give its hidden units on training and test images, and its accuracy on the latter."""
    with np.load(shared("mnist/mnist.npz")) as arrays:
        images = [torch.from_numpy(arrays[f"x_{part}"][::step]).flatten(1) / 255 for part in ("train", "test")]
        labels = [torch.from_numpy(arrays[f"y_{part}"][::step]).long() for part in ("train", "test")]
    with private_randomness(seed):
        hidden = nn.Sequential(nn.Linear(784, WIDTH), nn.ReLU())
        net = nn.Sequential(hidden, nn.Linear(WIDTH, 10))
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
        for _ in range(5):
            for rows in torch.randperm(len(images[0])).split(128):
                cross_entropy(net(images[0][rows]), labels[0][rows]).backward()
                optimiser.step()
                optimiser.zero_grad()
    with torch.no_grad():
        train, test = (hidden(x).numpy() for x in images)
        accuracy = float((net(images[1]).argmax(1) == labels[1]).float().mean())
    return train, test, accuracy


def row(name: str, target: int, train: np.ndarray, test: np.ndarray, epochs: int, seed: int) -> list[object]:
    """Train one dictionary and measure it."""
    with private_randomness(seed):
        bottleneck = KINDS[name]((WORDS,), target)  # type: ignore[call-arg]
        encoder, decoder = LinearEncoder((WIDTH,), (WORDS,)), LinearDecoder((WORDS,), (WIDTH,))
    recipe = xhat.Recipe(xhat.Autoencoder(encoder, bottleneck, decoder, Gaussian(learned=True)), Revival())
    fitted = xhat.fit(train, recipe, epochs=epochs, batch_size=128, patience=epochs, seed=seed)
    codes = [torch.from_numpy(fitted.encode(rows)) for rows in (train, test)]
    copy = torch.from_numpy(fitted.reconstruct(test))
    facts = sparsity(codes[1], torch.from_numpy(test), copy)
    seen = (codes[0] != 0).double()  # (N, words)
    active, dead = float(seen.sum(1).mean()), float((seen.sum(0) == 0).double().mean())
    off = f"{100 * (active / target - 1):+.1f} %"
    seconds = round(fitted.summary["seconds"])
    line = [name, target, active, off, facts.active, 1 - facts.unexplained, dead, epochs, seconds]
    print(line, flush=True)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a twelfth of the images, three epochs, one target")
    parser.add_argument("--keep", action="store_true", help="write the result beside the script")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--step", type=int, default=4, help="every so many-th image")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    epochs, targets, step = (3, (16,), 12) if options.quick else (options.epochs, TARGETS, options.step)
    train, test, accuracy = activations(options.seed, step)
    rows = [row(name, k, train, test, epochs, options.seed) for name in KINDS for k in targets]
    header = ("bottleneck", "target", "L0", "off", "test L0", "variance explained", "dead", "epochs", "seconds")
    body = table(header, rows) + f"\n\nThe classifier names {100 * accuracy:.1f} % of the test images."
    record("sparse_codes", body, keep=options.keep)


if __name__ == "__main__":
    main()
