"""The convolutional autoencoder in one process and in two."""

from __future__ import annotations

from speed_rows._apart import apart
from speed_rows._row import Options, Row


def row(options: Options) -> Row:
    return apart(
        "conv AE 32 x 32 x 3 (32-64-128), batch 128",
        options,
        rows=5120,
        shape=(3, 32, 32),
        net="deconv",
        net_options={"widths": (32, 64, 128), "activation": "relu"},
        latent=64,
        objective="squares",
        batch=128,
        warm=5,
        steps=60,
    )
