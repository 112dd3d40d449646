"""How a gradient passes a quantiser, whose own is zero: ways from an entry back to what was quantised."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

# Below this length a direction is rounding, and a rotation to it means nothing.
SHORTEST = 1e-6


def straight_through(e: Float[Tensor, "*B d"], q: Float[Tensor, "*B d"]) -> Float[Tensor, "*B d"]:
    r"""Give q, with :math:`\partial \hat z / \partial e = I`."""
    # e - e is exactly 0: what comes out is the entry to the last bit, which e + (q - e) is not.
    return q.detach() + (e - e.detach())


def rotation(e: Float[Tensor, "*B d"], q: Float[Tensor, "*B d"]) -> Float[Tensor, "*B d"]:
    r"""Give q, as the rotated and stretched e, with both held fixed as a gradient passes.

    .. math::
        \hat z = \frac{\|q\|}{\|e\|} R e, \qquad
        R = I - 2 r r^T + 2 \bar q \bar e^T, \qquad
        r = \frac{\bar e + \bar q}{\|\bar e + \bar q\|}

    with :math:`\bar e = e / \|e\|` and :math:`\bar q = q / \|q\|`. Where e or q is zero, or the two are opposite, there
    is no such rotation and the gradient goes straight through.

    References
    ----------
    Fifty et al., "Restructuring Vector Quantization with the Rotation Trick", ICLR 2025, section 4.
    """
    fixed, q = e.detach(), q.detach()
    length, target = fixed.norm(dim=-1, keepdim=True), q.norm(dim=-1, keepdim=True)  # (*B, 1)
    e_bar, q_bar = fixed / length.clamp(min=SHORTEST), q / target.clamp(min=SHORTEST)
    middle = (e_bar + q_bar).norm(dim=-1, keepdim=True)
    r = (e_bar + q_bar) / middle.clamp(min=SHORTEST)
    turned = e - 2 * r * (r * e).sum(-1, keepdim=True) + 2 * q_bar * (e_bar * e).sum(-1, keepdim=True)  # R e
    turned = target / length.clamp(min=SHORTEST) * turned
    turns = (length > SHORTEST) & (target > SHORTEST) & (middle > SHORTEST)
    moved = torch.where(turns, turned, e)
    return q + (moved - moved.detach())


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"rotation": rotation, "straight_through": straight_through}
