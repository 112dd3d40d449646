"""Which optimiser and schedule reach a low error soonest: what the engine's choice, AdamW in one cycle, stands on.

    python benchmarks/schedules.py [--quick] [--keep]

One net, 784-512-32-512-784, copies MNIST (`--quick`: digits). Each method takes the same number of steps on the same
batches, at each of its rates; the one that is best on validation rows is shown, with its seconds, its error on them,
and the seconds until its error was that of AdamW at a constant rate at the end. Schedule-free AdamW is that of
`pip install schedulefree` and is left out where that is not installed; Muon is torch's, for the matrices, beside AdamW
for the rest. On two cores the full measurement takes about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from _record import record, shared, table
from sklearn.datasets import load_digits
from torch import Tensor, nn

from xhat.engine.cycle import one_cycle
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder

BATCH, CODE = 100, 32
HEADER = ("method", "its rate", "ms a step", "error", "seconds in all", "seconds to AdamW's last error")
# How often the error is looked at; the looks' own time is not counted.
LOOKS = 40

Optimisers = list[torch.optim.Optimizer]


@dataclass(frozen=True)
class Method:
    """An optimiser, the rates that are tried, and the share of the rate at a point of the run."""

    make: Callable[[nn.Module, float], Optimisers]
    rates: Sequence[float]
    share: Callable[[float], float] = lambda _: 1.0


@dataclass(frozen=True)
class Run:
    """What came of one rate: (seconds, error) at each look."""

    rate: float
    curve: list[tuple[float, float]]

    @property
    def error(self) -> float:
        """The last one."""
        return self.curve[-1][1]

    def seconds_to(self, error: float) -> float:
        """Give the time at which an error was reached first; infinity if it never was."""
        return next((seconds for seconds, found in self.curve if found <= error), math.inf)


def adamw(model: nn.Module, rate: float) -> Optimisers:
    return [torch.optim.AdamW(model.parameters(), lr=rate, fused=True)]


def sgd(model: nn.Module, rate: float) -> Optimisers:
    return [torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, nesterov=True, fused=True)]


def muon(model: nn.Module, rate: float) -> Optimisers:
    matrices = [p for p in model.parameters() if p.ndim == 2]
    rest = [p for p in model.parameters() if p.ndim != 2]
    own: Any = torch.optim.Muon(matrices, lr=rate, adjust_lr_fn="match_rms_adamw")
    return [own, torch.optim.AdamW(rest, lr=rate, fused=True)]


def schedule_free(model: nn.Module, rate: float) -> Optimisers:
    from schedulefree import AdamWScheduleFree

    optimiser = AdamWScheduleFree(model.parameters(), lr=rate, warmup_steps=100)
    optimiser.train()
    return [optimiser]


def methods() -> dict[str, Method]:
    """List what is tried; the first is what the others are held against."""
    rates = (1e-3, 2e-3, 4e-3, 8e-3)
    found = {
        "AdamW, constant": Method(adamw, (5e-4, 1e-3, 2e-3)),
        "AdamW, one cycle (xhat)": Method(adamw, rates, one_cycle),
        "AdamW, cosine": Method(adamw, rates, lambda p: 0.5 * (1 + math.cos(math.pi * p))),
        "Muon, one cycle": Method(muon, rates, one_cycle),
        "SGD with momentum, one cycle": Method(sgd, (1e-3, 3e-3, 1e-2), one_cycle),
    }
    if importlib.util.find_spec("schedulefree") is None:
        return found
    return found | {"AdamW, schedule-free": Method(schedule_free, rates)}


def run(method: Method, rate: float, rows: Tensor, held: Tensor, steps: int) -> Run:
    """Train at one rate."""
    torch.manual_seed(0)
    d = rows.shape[1]
    model = nn.Sequential(MLPEncoder((d,), (CODE,), hidden=(512,)), MLPDecoder((CODE,), (d,), hidden=(512,)))
    optimisers = method.make(model, rate)
    every, spent, curve = max(steps // LOOKS, 1), 0.0, []
    order = torch.cat([torch.randperm(len(rows)) for _ in range(math.ceil(steps * BATCH / len(rows)))])
    start = time.perf_counter()
    for step in range(steps):
        batch = rows[order[step * BATCH : (step + 1) * BATCH]]
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * method.share((step + 1) / (steps + 1))
        (model(batch) - batch).square().sum(1).mean().backward()
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        if (step + 1) % every == 0 or step + 1 == steps:
            spent += time.perf_counter() - start
            curve.append((spent, _error(model, optimisers, held)))
            start = time.perf_counter()
    return Run(rate, curve)


@torch.no_grad()
def _error(model: nn.Module, optimisers: Optimisers, held: Tensor) -> float:
    # Schedule-free methods judge an average of their weights.
    averaged = [optimiser for optimiser in optimisers if hasattr(optimiser, "eval")]
    for optimiser in averaged:
        optimiser.eval()
    error = float((model(held) - held).square().mean())
    for optimiser in averaged:
        optimiser.train()
    return error if math.isfinite(error) else math.inf


def data(quick: bool) -> tuple[Tensor, Tensor]:
    """Give rows to learn from and rows to judge by, on [0, 1]."""
    if quick:
        x = torch.from_numpy((load_digits().data / 16).astype(np.float32))
        return x[:1500], x[1500:]
    with np.load(shared("mnist/mnist.npz")) as file:
        x = torch.from_numpy(file["x_train"].reshape(-1, 784).astype(np.float32) / 255)
    return x[:20_000], x[50_000:52_000]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="digits, 600 steps, one rate of each")
    parser.add_argument("--keep", action="store_true", help="keep the result beside the script")
    chosen = parser.parse_args()
    (rows, held), steps = data(chosen.quick), 600 if chosen.quick else 4000
    best: dict[str, Run] = {}
    for name, method in methods().items():
        rates = method.rates[1:2] if chosen.quick else method.rates
        best[name] = min((run(method, rate, rows, held, steps) for rate in rates), key=lambda found: found.error)
        print(f"{name}: {best[name].error:.3g} at {best[name].rate:g}", flush=True)
    usual = next(iter(best.values())).error
    lines = [
        (name, of.rate, 1000 * of.curve[-1][0] / steps, of.error, of.curve[-1][0], of.seconds_to(usual))
        for name, of in best.items()
    ]
    record("schedules", table(HEADER, lines), keep=chosen.keep)


if __name__ == "__main__":
    main()
