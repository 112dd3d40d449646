"""Random draws of many models in one program: made outside, each model's by a generator of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.overrides import TorchFunctionMode

from xhat.engine.randomness import LIMIT

# What a draw is made of: numbers that depend on a shape alone. Others, as those of a multinomial, depend on what the
# program has computed by then, and cannot be made outside.
FILLS = {torch.randn: "normal_", torch.randn_like: "normal_", torch.rand: "uniform_", torch.rand_like: "uniform_"}
WHOLE = (torch.randint, torch.randperm)


@dataclass(frozen=True)
class Draw:
    """One call for random numbers.

    Parameters
    ----------
    make : callable
        From a generator to the numbers that the call would have drawn from it.
    device : torch.device
        Where they are.
    """

    make: Callable[[Generator], Tensor]
    device: torch.device


class Recording(TorchFunctionMode):
    """Within the block every call for random numbers is noted, in its order, in `draws`."""

    def __init__(self) -> None:
        super().__init__()
        self.draws: list[Draw] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        drawn = func(*args, **kwargs)
        if _is_draw(func, kwargs):
            self.draws.append(_noted(func, args, kwargs, drawn))
        return drawn


class Replaying(TorchFunctionMode):
    """Within the block calls for random numbers get what was drawn before, in its order.

    Parameters
    ----------
    drawn : iterable of Tensor
        The numbers, under `torch.func.vmap` each model's own.
    """

    def __init__(self, drawn: Iterable[Tensor]) -> None:
        super().__init__()
        self._drawn: Iterator[Tensor] = iter(drawn)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        return next(self._drawn) if _is_draw(func, kwargs) else func(*args, **kwargs)


class Source:
    """The generators that one model draws from, by the kind of device.

    Parameters
    ----------
    seed : int, optional
        Where they start; by default they go on from torch's own as it stands.
    device : torch.device
        Where the model computes.
    """

    def __init__(self, device: torch.device, seed: int | None = None) -> None:
        self.of = {"cpu": Generator()}
        if device.type == "cuda":
            self.of["cuda"] = Generator(device)
        for kind, generator in self.of.items():
            if seed is not None:
                generator.manual_seed(seed % LIMIT)
            else:
                generator.set_state(torch.get_rng_state() if kind == "cpu" else torch.cuda.get_rng_state(device))


def drawn(draws: Sequence[Draw], sources: Sequence[Source]) -> list[Tensor]:
    """Make each draw for each model, (M, ...) in turn: what a program of one model would have drawn by itself."""
    return [torch.stack([draw.make(source.of[draw.device.type]) for source in sources]) for draw in draws]


def _is_draw(func: Any, kwargs: dict[str, Any]) -> bool:
    return (func in FILLS or func in WHOLE) and kwargs.get("generator") is None


def _noted(func: Any, args: Any, kwargs: dict[str, Any], drawn: Tensor) -> Draw:
    if func in WHOLE:
        return Draw(lambda generator: func(*args, **kwargs | {"generator": generator}), drawn.device)
    shape, stride, dtype, device, fill = drawn.shape, drawn.stride(), drawn.dtype, drawn.device, FILLS[func]

    def make(generator: Generator) -> Tensor:
        # The strides count: of a transposed tensor torch draws in another order.
        empty = torch.empty_strided(shape, stride, dtype=dtype, device=device)
        filled: Tensor = getattr(empty, fill)(generator=generator)
        return filled

    return Draw(make, device)
