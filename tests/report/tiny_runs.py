"""Tiny runs of every kind of data and objective, and their pages, each made once a worker."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from xhat.data.dataset import Dataset
from xhat.data.open import open as open_data
from xhat.models.fitted import Fitted
from xhat.report.write import compose
from xhat.runs.fit import fit

HOSTILE = "<script>alert(1)</script>"
ROWS = 60


def _normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(ROWS, *shape)).astype(np.float32)


def _bytes(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (ROWS, *shape), dtype=np.uint8)


def _table() -> Dataset:
    frame = pd.DataFrame(_normal(15), columns=[HOSTILE, "a&b", "$x_{", *(f"c{i}" for i in range(12))])
    return open_data(frame, labels=np.array([HOSTILE, "$\\frac{", "文", "ok"])[np.arange(ROWS) % 4], name=HOSTILE)


def _gaps() -> Dataset:
    rows = _normal(4)
    rows[::3, 1] = np.nan
    return open_data(rows, missing=True, labels=np.linspace(0, 1, ROWS))


def _symbols() -> Dataset:
    return open_data(np.random.default_rng(0).integers(0, 5, (ROWS, 120)), kind="tokens")


def _mixed() -> Dataset:
    frame = pd.DataFrame(_normal(2), columns=[HOSTILE, "wide"]).assign(
        whole=np.arange(ROWS) % 7, pet=np.array([HOSTILE, "cat", None], object)[np.arange(ROWS) % 3]
    )
    return open_data(frame, missing=True)


DATA: dict[str, Callable[[], Dataset]] = {
    "gray": lambda: open_data(_bytes(6, 5), labels=np.arange(ROWS) % 3),
    "colour": lambda: open_data(_bytes(6, 6, 3), labels=np.arange(ROWS) % 12),
    "wide": lambda: open_data(_bytes(20, 150)),
    "float_image": lambda: open_data(_normal(5, 5), kind="image", labels=np.arange(ROWS)),
    "table": _table,
    "gaps": _gaps,
    "mixed": _mixed,
    "series": lambda: open_data(_normal(20, 5)),
    "one_series": lambda: open_data(_normal(12), kind="series", labels=[f"kind {i % 40}" for i in range(ROWS)]),
    "array": lambda: open_data(_normal(2, 3, 2, 2)),
    "symbols": _symbols,
}


def made(data: str, kind: str = "ae", latent: int = 3, seed: int = 0, epochs: int = 1) -> tuple[Fitted, Dataset]:
    """Give a fitted model, and the data that it was fitted to."""
    return _made(data, kind, latent, seed, epochs)


@cache
def _made(data: str, kind: str, latent: int, seed: int, epochs: int) -> tuple[Fitted, Dataset]:
    dataset = DATA[data]()
    net, hidden = ("recurrent", 8) if data == "symbols" else ("mlp", [8])
    settings = {"epochs": epochs, "batch_size": 16, "seed": seed}
    return fit(dataset, kind, net=net, latent=latent, overrides={"net.hidden": hidden}, **settings), dataset


@cache
def page(data: str, kind: str = "ae", latent: int = 3, epochs: int = 1) -> str:
    """Give the report of a tiny run."""
    return compose(*made(data, kind, latent, epochs=epochs))
