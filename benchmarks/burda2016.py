"""Burda et al., ICLR 2016, table 1: VAE and IWAE on MNIST, one stochastic layer, test NLL in nats.

    python benchmarks/burda2016.py --quick            # under a minute: shows that it runs
    python benchmarks/burda2016.py --keep             # both, one after another
    python benchmarks/burda2016.py --only iwae --epochs 200 --keep

The nets are the paper's: 784-200-200-50, tanh, pixels drawn on or off anew at every step. The NLL is
-log p(x) by 5000 draws of a row; test rows are encoded once and binarised once, from a fixed seed. The paper trains for
3280 epochs of batches of 20; what fits in an hour here is fewer, larger steps. A tenth of the training images chooses
the epoch.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import torch
from _record import earlier, record, shared, table

import xhat
from xhat.core.objective import Objective
from xhat.engine.progress import ProgressBar
from xhat.engine.randomness import private_randomness
from xhat.metrics.active_units import active_units
from xhat.metrics.log_evidence import log_evidence
from xhat.parts.bottlenecks.gaussian import Gaussian
from xhat.parts.likelihoods.bernoulli import Bernoulli
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.binarising import Binarising
from xhat.parts.objectives.iwae import IWAE

SHAPE, CODE, HIDDEN = (1, 28, 28), 50, (200, 200)


@dataclass(frozen=True)
class Run:
    """One line of the table."""

    name: str
    objective: Objective
    paper: float
    epochs: int


RUNS = {"vae": Run("VAE, k = 1", BetaELBO(), 86.76, 800), "iwae": Run("IWAE, k = 5", IWAE(5), 85.54, 200)}


def model(seed: int) -> xhat.Autoencoder:
    """Build the paper's net."""
    with private_randomness(seed):
        bottleneck = Gaussian((CODE,))
        encoder = MLPEncoder(SHAPE, bottleneck.in_shape, hidden=HIDDEN, activation="tanh")
        decoder = MLPDecoder((CODE,), SHAPE, hidden=HIDDEN, activation="tanh")
    return xhat.Autoencoder(encoder, bottleneck, decoder, Bernoulli())


def nll(fitted: xhat.Fitted, images: np.ndarray, draws: int) -> tuple[float, int]:
    """Mean -log p(x) of binarised images in nats, and the number of active code dimensions."""
    generator = torch.Generator().manual_seed(0)
    x = torch.from_numpy(images).unsqueeze(1) / 255
    x = torch.bernoulli(x, generator=generator)
    with private_randomness(0), torch.inference_mode():
        values = torch.cat([log_evidence(fitted.model, xhat.Batch(part), draws) for part in x.split(128)])
        codes = torch.cat([fitted.model.encode(part).z for part in x.split(1024)])
    return float(-values.double().mean()), int(active_units(codes, prior_variance=True).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the images, a few epochs, 50 draws")
    parser.add_argument("--keep", action="store_true", help="write the result beside the script")
    parser.add_argument("--only", choices=tuple(RUNS), help="one of the runs")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--draws", type=int, default=5000)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with np.load(shared("mnist/mnist.npz")) as arrays:
        train, test = arrays["x_train"], arrays["x_test"]
    draws = options.draws
    if options.quick:
        train, test, draws = train[::20], test[::20], 50
    rows = earlier("burda2016", [run.name for run in RUNS.values()]) if options.keep else {}
    for run in [RUNS[options.only]] if options.only else RUNS.values():
        count = 4 if options.quick else options.epochs or run.epochs
        recipe = xhat.Recipe(model(options.seed), Binarising(run.objective))
        settings = {"lr": options.lr, "batch_size": options.batch_size, "weight_decay": 0.0, "patience": count}
        fitted = xhat.fit(train, recipe, epochs=count, seed=options.seed, hooks=[ProgressBar()], **settings)
        start = time.perf_counter()
        value, active = nll(fitted, test, draws)
        seconds, bound = round(fitted.summary["seconds"]), fitted.history.best.score
        spent = round(time.perf_counter() - start)
        rows[run.name] = [run.name, value, run.paper, bound, active, count, seconds, spent]
        print(rows[run.name], flush=True)
    header = ("objective", "test NLL", "paper", "validation bound", "active", "epochs", "seconds", "NLL seconds")
    record("burda2016", table(header, list(rows.values())), keep=options.keep)


if __name__ == "__main__":
    main()
