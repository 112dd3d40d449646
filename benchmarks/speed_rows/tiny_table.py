"""A small table and a small net: what a step costs beside its products."""

from __future__ import annotations

from speed_rows._fits import fits
from speed_rows._row import Options, Row


def row(options: Options) -> Row:
    return fits(
        "tiny table 2000 x 30, MLP 30-16-4-16-30, batch 64",
        options,
        {"xhat, eager": {"compile": "off"}, "xhat, compiled": {"compile": "on"}},
        {"xhat, eager": 3, "xhat, compiled": 12},
        rows=2000,
        shape=(30,),
        floats=True,
        net="mlp",
        net_options={"hidden": (16,), "activation": "silu"},
        latent=4,
        objective="squares",
        batch=64,
        warm=320,
        steps=6400,
    )
