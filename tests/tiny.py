"""A fit that is small enough for a test: 200 real digits, a narrow net, two epochs of six steps."""

import signal
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits

import xhat
from xhat.engine.hook import Hook
from xhat.engine.settings import TrainSettings
from xhat.engine.trainee import Trainee
from xhat.engine.training import Training
from xhat.runs.plan import make_plan

KINDS = ("ae", "dae", "vae", "aae")
NARROW = {"net.hidden": [16]}
SHORT = {"epochs": 2, "batch_size": 32, "device": "cpu"}
FLAGS = "--epochs 1 --batch-size 32 --set net.hidden=[16] --device cpu"  # of a command line
STEPS = 6  # of an epoch: 180 training rows, the last batch has 20


@cache
def rows() -> np.ndarray:
    """Digits as bytes, of shape (200, 8, 8)."""
    return load_digits().images[:200].astype(np.uint8)


@cache
def data():
    return xhat.data.open(rows(), labels=load_digits().target[:200])


def plan(kind="ae", *, latent=4, overrides=NARROW, net="mlp", scale="auto", source=None, **settings):
    chosen = TrainSettings(**SHORT | settings)
    by_name = {"overrides": overrides, "source": source, "net": net, "latent": latent}
    return make_plan(data(), kind, scale=scale, settings=chosen, **(by_name if isinstance(kind, str) else {}))


def training(plan, *hooks, **others) -> Training:
    trainee = Trainee(plan.recipe.model, plan.recipe.objective, plan.scaling)
    return Training(trainee, plan.data, plan.split.train, plan.split.validation, plan.settings, hooks, **others)


def fit(kind="ae", *, latent=4, overrides=NARROW, **options):
    """Fit as a user does."""
    return xhat.fit(data(), kind, latent=latent, overrides=overrides, **SHORT | options)


class CtrlC(Hook):
    """Press Ctrl-C after a step, as often as asked."""

    def __init__(self, step: int, times: int = 1) -> None:
        self.step, self.times = step, times

    def on_step(self, training):
        if training.step.done == self.step:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


def same(one, other) -> bool:
    """Whether two nested states are equal bit for bit; times are left out."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        keys = one.keys() - {"seconds"}
        return keys == other.keys() - {"seconds"} and all(same(one[key], other[key]) for key in keys)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
