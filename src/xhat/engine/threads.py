"""How many threads a step is worth: for a small net, waking a second one takes longer than its share of the work."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils.flop_counter import FlopCounterMode

from xhat.core.batch import Batch
from xhat.engine.trainee import Trainee

# Operations of a step below which one thread is faster than two; measured on AVX-512 cores with perceptrons.
WORTH_SHARING = 5e6


def operations(trainee: Trainee, batch: Batch) -> float:
    """Count the operations of a step's products: the forward pass, and twice as much backward.

    Parameters
    ----------
    trainee : Trainee
        Stays as it is, and so do torch's generators.
    batch : Batch
        Raw rows, of a batch's size.
    """
    twin, device = copy.deepcopy(trainee), batch.x.device
    forked = torch.random.fork_rng([device] if device.type == "cuda" else [])
    with forked, FlopCounterMode(display=False) as counter:
        twin(batch)
    return 3.0 * counter.get_total_flops()


@contextmanager
def worthwhile_threads(trainee: Trainee, batch: Batch) -> Iterator[None]:
    """Let a trainee's steps on a processor have one thread while the context lasts, where more would slow them."""
    before, weights = torch.get_num_threads(), sum(p.numel() for p in trainee.main_parameters())
    small = 6.0 * len(batch) * weights < WORTH_SHARING  # most weights meet each row at least once
    if before > 1 and batch.x.device.type == "cpu" and small and operations(trainee, batch) < WORTH_SHARING:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
