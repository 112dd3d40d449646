"""The same perceptron in batches of 512."""

from __future__ import annotations

from speed_rows._fits import fits
from speed_rows._row import Options, Row
from speed_rows.mlp_vae import SETTINGS, WORK


def row(options: Options) -> Row:
    goals = dict.fromkeys(SETTINGS, 2.3)
    title = "MLP VAE 784-512-16-512-784, batch 512"
    return fits(title, options, SETTINGS, goals, **WORK, rows=50_000, batch=512, warm=20, steps=400)
