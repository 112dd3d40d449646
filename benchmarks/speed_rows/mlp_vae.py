"""A perceptron as a variational autoencoder, of MNIST's size, in batches of 100."""

from __future__ import annotations

from typing import Any

from speed_rows._fits import fits
from speed_rows._row import Options, Row

WORK: dict[str, Any] = {
    "shape": (784,),
    "net": "mlp",
    "net_options": {"hidden": (512,), "activation": "relu"},
    "latent": 16,
    "objective": "elbo",
}
SETTINGS = {
    "xhat, eager": {"compile": "off"},
    "xhat, eager, bf16": {"compile": "off", "precision": "bf16"},
    "xhat, compiled": {"compile": "on"},
    "xhat, compiled, bf16": {"compile": "on", "precision": "bf16"},
}


def row(options: Options) -> Row:
    goals = {"xhat, eager": 2.1, "xhat, compiled": 2.1, "xhat, eager, bf16": 3.2, "xhat, compiled, bf16": 3.2}
    title = "MLP VAE 784-512-16-512-784, batch 100"
    return fits(title, options, SETTINGS, goals, **WORK, rows=50_000, batch=100, warm=50, steps=1500)
