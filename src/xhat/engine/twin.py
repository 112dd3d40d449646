"""A copy of a trainee, to try something on."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xhat.engine.randomness import untouched_randomness
from xhat.engine.trainee import Trainee


@contextmanager
def twin_of(trainee: Trainee, device: torch.device) -> Iterator[Trainee | None]:
    """Give a copy, within a block that leaves torch's generators as they are; None of one that cannot be copied.

    Parameters
    ----------
    trainee : Trainee
        Stays as it is.
    device : torch.device
        Where it computes.
    """
    try:
        twin = copy.deepcopy(trainee)
    # Modules of a user's own may hold what has no copy, as locks and files.
    except Exception:
        twin = None
    with untouched_randomness(device):
        yield twin
