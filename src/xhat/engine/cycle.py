"""The learning rate's one cycle: up, then down to nothing."""

from __future__ import annotations

import math

RISE = 0.1


def one_cycle(progress: float) -> float:
    r"""Give the learning rate as a share of its peak.

    .. math::
        \eta(p) &= p / r && p < r \\
        \eta(p) &= \tfrac12 \left(1 + \cos \pi \tfrac{p - r}{1 - r}\right) && p \ge r

    with r = 0.1. It needs no tuning but its peak, and ends where the noise of the steps has gone.

    Parameters
    ----------
    progress : float
        p, the share of the run's steps that are done, in [0, 1].

    References
    ----------
    Smith and Topin, "Super-Convergence", 2018. Loshchilov and Hutter, "SGDR", ICLR 2017.
    """
    if progress < RISE:
        return progress / RISE
    return 0.5 * (1 + math.cos(math.pi * (progress - RISE) / (1 - RISE)))
