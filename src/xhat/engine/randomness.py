"""Random numbers of one's own: seeded inside, untouched outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Seed an epoch's order: a function of the seed and the epoch alone, so that a resumed run agrees."""
    return torch.Generator().manual_seed((seed * 1_000_003 + epoch) % LIMIT)


def epoch_order(rows: torch.Tensor, seed: int, epoch: int) -> torch.Tensor:
    """Shuffle row numbers for one epoch."""
    generator = epoch_generator(seed, epoch)
    return rows[torch.randperm(len(rows), generator=generator)]
