"""A convolutional autoencoder of small colour pictures."""

from __future__ import annotations

from speed_rows._fits import fits
from speed_rows._row import Options, Row

SETTINGS = {
    "xhat, 32": {"compile": "off"},
    "xhat, bf16": {"compile": "off", "precision": "bf16"},
    "xhat, compiled, bf16": {"compile": "on", "precision": "bf16"},
}


def row(options: Options) -> Row:
    return fits(
        "conv AE 32 x 32 x 3 (32-64-128), batch 128",
        options,
        SETTINGS,
        {"xhat, bf16": 1.5, "xhat, compiled, bf16": 1.5},
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
