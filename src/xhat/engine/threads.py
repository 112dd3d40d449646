"""How many threads a step is worth: for a small net, waking a second one takes longer than its share of the work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils.flop_counter import FlopCounterMode

from xhat.core.batch import Batch
from xhat.engine.trainee import Trainee
from xhat.engine.twin import twin_of

# Operations of a step below which one thread is faster than two; measured on AVX-512 cores with perceptrons.
WORTH_SHARING = 5e6


def operations(trainee: Trainee, batch: Batch) -> float:
    """Count the operations of a step's products: the forward pass, and twice as much backward.

    Of a trainee that cannot be copied nothing is known, and they are infinitely many.

    Parameters
    ----------
    trainee : Trainee
        Stays as it is, and so do torch's generators.
    batch : Batch
        Raw rows, of a batch's size.
    """
    with twin_of(trainee, batch.x.device) as twin, FlopCounterMode(display=False) as counter:
        if twin is None:
            return math.inf
        twin(batch)
    return 3.0 * counter.get_total_flops()


@contextmanager
def worthwhile_threads(trainee: Trainee, batch: Batch, processes: int = 1) -> Iterator[None]:
    """Let a trainee's steps on a processor have one thread while the context lasts, where more would slow them.

    Several processes have their shares of the cores, and what one of them tried alone the others would wait for.
    """
    before, weights = torch.get_num_threads(), sum(p.numel() for p in trainee.main_parameters())
    small = 6.0 * len(batch) * weights < WORTH_SHARING  # most weights meet each row at least once
    alone = before > 1 and processes == 1
    if alone and batch.x.device.type == "cpu" and small and operations(trainee, batch) < WORTH_SHARING:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
