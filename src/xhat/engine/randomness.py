"""Random numbers of one's own: seeded inside, untouched outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

# Torch's generators take no seed from here on.
LIMIT = 2**63


@contextmanager
def private_randomness(seed: int) -> Iterator[None]:
    """Let torch's generators start from `seed` within the block, and give them back as they were.

    Parameters
    ----------
    seed : int
        Any integer; the same one gives the same draws.
    """
    devices = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=devices):
        # Seeding devices that are not there takes longer than a step of a small net.
        seeded = torch.manual_seed if torch.accelerator.is_available() else torch.default_generator.manual_seed
        seeded(seed % LIMIT)
        yield


def untouched_randomness(device: torch.device) -> AbstractContextManager[None]:
    """Leave generators as they are, whatever is drawn within the block: of the processor and of one device."""
    forked: AbstractContextManager[None] = torch.random.fork_rng([device] if device.type == "cuda" else [])
    return forked


def generators(device: torch.device) -> list[torch.Tensor]:
    """Give the states of torch's generators: the processor's, and that of a GPU which computes."""
    gpu = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.get_rng_state(), *gpu]


def set_generators(states: list[torch.Tensor], device: torch.device) -> None:
    """Continue from `generators`; a run that goes on elsewhere keeps what there is of them."""
    torch.set_rng_state(states[0])
    if device.type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1], device)


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Seed an epoch's order: a function of the seed and the epoch alone, so that a resumed run agrees."""
    return torch.Generator().manual_seed((seed * 1_000_003 + epoch) % LIMIT)


def epoch_order(rows: torch.Tensor, seed: int, epoch: int) -> torch.Tensor:
    """Shuffle row numbers for one epoch."""
    generator = epoch_generator(seed, epoch)
    return rows.index_select(0, torch.randperm(len(rows), generator=generator))
