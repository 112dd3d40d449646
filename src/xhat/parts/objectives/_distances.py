"""Distances between codes, in full precision wherever they are asked for."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def squares(a: Tensor, b: Tensor) -> Tensor:
    """‖a_i − b_j‖² of codes a (N, d) and b (M, d): (N, M).

    By products, not cdist: its gradient at distance 0 is no number, and this is one matrix product. Both are centred
    first, since products of codes far from the origin would leave only rounding; a shift changes no distance.
    """
    with torch.autocast(a.device.type, enabled=False):
        a, b = in_full(a), in_full(b)
        centre = torch.cat([a, b]).mean(0).detach()
        a, b = a - centre, b - centre
        return ((a**2).sum(1, keepdim=True) + (b**2).sum(1) - 2 * a @ b.T).clamp(min=0)


def in_full(z: Tensor) -> Tensor:
    """Z in float32, or as it is where that is more: a difference of squares leaves nothing of bfloat16's 8 bits."""
    return z.float() if z.dtype in (torch.bfloat16, torch.float16) else z


def energy(distance: Callable[[Tensor, Tensor], Tensor], z: Tensor, prior: Tensor) -> Tensor:
    r"""Tell how far the distribution of codes z is from the prior's, by a distance d between batches of one size.

    .. math:: \tfrac12 E[d(z_1, p_2) + d(z_2, p_1) - d(z_1, z_2) - d(p_1, p_2)]

    with both halves of the codes, :math:`z_1, z_2`, and of the prior's draws. Two batches of one distribution lie
    apart, the more so the smaller they are and the more dimensions they have; that alone would make
    :math:`d(z, p)` least for codes that are drawn too close together. What the halves have between them is therefore
    taken off: the value is 0 on average, and least, where the codes are the prior's, whatever the batch.

    Salimans et al., "Improving GANs Using Optimal Transport", ICLR 2018, eq. 5.
    """
    half = max(len(z) // 2, 1)  # one row has no halves: d(z, p) is left of it
    (z1, z2), (p1, p2) = ((rows[::2][:half], rows[1::2][:half] if len(rows) > 1 else rows) for rows in (z, prior))
    return (distance(z1, p2) + distance(z2, p1) - distance(z1, z2) - distance(p1, p2)) / 2
