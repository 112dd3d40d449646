"""The squared length of a Jacobian, row by row: exact, or estimated along random directions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from xhat.core.errors import ConfigError, require
from xhat.core.shapes import per_row


def check_probes(probes: int | None, who: str) -> int | None:
    """Refuse a number of random directions that is none."""
    whole = probes is None or (isinstance(probes, int) and not isinstance(probes, bool) and probes >= 1)
    require(whole, who, "probes must be a whole number >= 1, or None for the exact value", probes, "use probes=1")
    return probes


@contextmanager
def differentiable_twice(net: nn.Module) -> Iterator[None]:
    """Keep a graph of what `net` does, even in evaluation, by operations whose derivative has a derivative."""
    with ExitStack() as stack:
        stack.enter_context(torch.enable_grad())
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))  # the fused attention has a first derivative only
        if any(isinstance(module, nn.RNNBase) for module in net.modules()):
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))  # and so have cuDNN's recurrent layers
        yield


def movable(x: Tensor, who: str) -> Tensor:
    """Give x as something to derive by: itself where it has a past that may learn, else a fresh leaf."""
    hint = "use an objective without a derivative, as objectives/reconstruction"
    require(x.is_floating_point(), who, "needs rows of numbers; symbols cannot be moved a little", x.dtype, hint)
    return x if x.requires_grad else x.detach().requires_grad_()


def squared_jacobian(
    y: Float[Tensor, "B *Y"], x: Float[Tensor, "B *X"], probes: int | None, who: str
) -> Float[Tensor, "B"]:
    r"""Give :math:`\|J\|_F^2` of each row, :math:`J = \partial y / \partial x`, differentiably where gradients are on.

    .. math:: \|J\|_F^2 = \sum_j \|J^T e_j\|^2 = E_v \|J^T v\|^2, \qquad E[v v^T] = I

    v are random signs, whose estimate varies less than that of normal v.

    Parameters
    ----------
    y, x : Tensor of shape (B, *Y) and (B, *X)
        What was made of what, each row by itself, under `differentiable_twice`.
    probes : int or None
        Directions v a row; None for all :math:`e_j`. Each costs a pass backward.
    who : str
        For the error's line.

    References
    ----------
    Hutchinson, "A Stochastic Estimator of the Trace of the Influence Matrix", 1989.
    """
    directions = list(_axes(y) if probes is None else _signs(y, probes))
    total = torch.stack([per_row(_slope(y, x, v, who) ** 2) for v in directions]).sum(0)  # (B,)
    return total if probes is None else total / probes


def _axes(y: Tensor) -> Iterator[Tensor]:
    for j in range(y[0].numel()):
        # Shaped as y: y itself must not be reshaped here, where no graph may be kept.
        v = y.new_zeros(len(y), y[0].numel())
        v[:, j] = 1
        yield v.view(y.shape)


def _signs(y: Tensor, probes: int) -> Iterator[Tensor]:
    for _ in range(probes):
        yield torch.where(torch.rand_like(y) < 0.5, -1.0, 1.0).to(y.dtype)


def _slope(y: Tensor, x: Tensor, v: Tensor, who: str) -> Float[Tensor, "B *X"]:
    """Give Jᵀ v of every row at once: rows do not meet, so that the sum over them has each one's own slope."""
    slope = None
    if y.requires_grad:
        learn = torch.is_grad_enabled()
        (slope,) = torch.autograd.grad(y, x, v, create_graph=learn, retain_graph=True, allow_unused=True)
    if slope is None:
        rule = "needs a net that moves with what it reads; symbols and choices have no derivative"
        raise ConfigError(who, rule, hint="use an objective without a derivative, as objectives/reconstruction")
    return slope
