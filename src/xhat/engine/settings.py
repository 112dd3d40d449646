"""How to train: what a user may choose, with what is chosen for them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from xhat.core.errors import ConfigError, require
from xhat.engine import compiling
from xhat.engine.device import pick_device
from xhat.engine.precision import checked

# Rows of a batch that is chosen, at most: with more a processor gains nothing, and what a GPU does at once is larger.
MOST, MOST_GPU = 256, 1024
# An epoch count that is not given is chosen so that about this many steps are taken.
STEPS = 2500


@dataclass(frozen=True)
class TrainSettings:
    """Choices of a training run; ``None`` leaves one to the data.

    Parameters
    ----------
    epochs : int, optional
        Passes over the data. By default as many as make about 2500 steps, between 20 and 300.
    batch_size : int, optional
        Rows a step. By default a power of two near a twentieth of the rows, between 16 and 256, or 1024 on a GPU.
    lr : float, default=2e-3
        Peak learning rate of the cycle.
    weight_decay : float, default=1e-2
        Decoupled decay of all weights.
    clip : float, default=5.0
        A gradient longer than this many times the running mean length is cut to it; 0 for never.
    patience : int, optional
        Epochs without a better validation loss before the run stops. By default a third of the epochs, at least 10.
    seed : int, default=0
        Of every random draw of the run.
    device : str, default="auto"
        "auto", "cpu", "cuda", "cuda:1", "mps".
    precision : str, default="32"
        Of the nets' products while they train: "32", "bf16", "16" (float16 with a scaled loss, where the device has
        it), or "auto" for bf16 where the device gains from it.
    compile : str, default="auto"
        Whether steps are compiled as a whole: "on", "off", or "auto" where the run is long enough to earn back what
        that takes. Results differ by rounding.
    accumulate : int, default=1
        Parts of a batch whose gradients are taken one after another and added up: the same step in less memory, of
        objectives whose terms belong to rows. What is of the batch as a whole is refused.
    gradient_checkpointing : bool, default=False
        Whether the nets' inner activations are forgotten and computed again on the way back: less memory still, for
        about a third more time, of any objective.
    fsdp : bool, default=False
        Whether several processes divide the nets' weights, gradients and moments among them, for nets whose training
        is too large for one device. Results are the same to rounding.
    """

    epochs: int | None = None
    batch_size: int | None = None
    lr: float = 2e-3
    weight_decay: float = 1e-2
    clip: float = 5.0
    patience: int | None = None
    seed: int = 0
    device: str = "auto"
    precision: str = "32"
    compile: str = "auto"
    accumulate: int = 1
    gradient_checkpointing: bool = False
    fsdp: bool = False

    def __post_init__(self) -> None:
        for name, plain in (("seed", operator.index), ("lr", float), ("weight_decay", float), ("clip", float)):
            self._store(name, plain)
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) is not None:
                value = self._store(name, operator.index)
                require(value >= 1, "fit", f"{name} must be >= 1", value, "leave it out to have it chosen")
        self._store("accumulate", operator.index)
        object.__setattr__(self, "precision", checked(self.precision))
        object.__setattr__(self, "compile", compiling.checked(self.compile))
        require(self.lr > 0, "fit", "lr must be > 0", self.lr, "2e-3 suits most data")
        require(self.weight_decay >= 0, "fit", "weight_decay must be >= 0", self.weight_decay, "use 0 for none")
        require(self.clip >= 0, "fit", "clip must be >= 0", self.clip, "use 0 for none")
        require(self.accumulate >= 1, "fit", "accumulate must be >= 1", self.accumulate, "1 takes a batch at once")
        for name in ("gradient_checkpointing", "fsdp"):
            whether = getattr(self, name)
            require(isinstance(whether, bool), "fit", f"{name} must be true or false", repr(whether))

    def _store(self, name: str, plain: Callable[[Any], Any]) -> Any:
        """Keep a number as Python's own: numpy's would not go into JSON."""
        value = getattr(self, name)
        try:
            value = plain(value)
        except (TypeError, ValueError) as error:
            word = "number" if plain is float else "whole number"
            raise ConfigError("fit", f"{name} must be a {word}", repr(value), "leave it out for the default") from error
        object.__setattr__(self, name, value)
        return value

    def resolved(self, rows: int) -> TrainSettings:
        """Fill in what was left open, for this many training rows."""
        require(
            self.batch_size is None or self.batch_size <= rows,
            "fit",
            f"batch_size must be at most the number of training rows, {rows}",
            self.batch_size,
            "leave it out to have it chosen",
        )
        most = MOST if pick_device(self.device).type == "cpu" else MOST_GPU
        batch_size = self.batch_size or min(max(2 ** round(math.log2(max(rows / 20, 1))), 16), most, rows)
        rule, hint = f"accumulate must be at most the {batch_size} rows of a batch", "lower it, or raise batch_size"
        require(self.accumulate <= batch_size, "fit", rule, self.accumulate, hint)
        epochs = self.epochs or min(max(math.ceil(STEPS * batch_size / rows), 20), 300)
        return replace(self, batch_size=batch_size, epochs=epochs, patience=self.patience or max(epochs // 3, 10))

    def to_dict(self) -> dict[str, Any]:
        """Give the choices in JSON's types."""
        return asdict(self)
