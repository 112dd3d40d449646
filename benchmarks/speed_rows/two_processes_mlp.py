"""The perceptron of large batches in one process and in two."""

from __future__ import annotations

from speed_rows._apart import apart
from speed_rows._row import Options, Row
from speed_rows.mlp_vae import WORK


def row(options: Options) -> Row:
    return apart("MLP VAE 784-512-16-512-784, batch 2048", options, **WORK, rows=50_000, batch=2048, warm=10, steps=120)
