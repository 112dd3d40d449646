"""Nearest rows: which training row a sample resembles most."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from xhat.core.batch import Batch


def nearest(queries: Batch, blocks: Iterable[Batch], *, symbols: bool = False) -> Int[Tensor, "Q"]:
    r"""Find the row with the smallest distance to each query, block by block.

    .. math:: d^2(q, x) = \frac{1}{|O|} \sum_{i \in O} (q_i - x_i)^2

    over the entries O that both rows show; for symbols, the share of them that differ.

    Parameters
    ----------
    queries : Batch
        Scaled rows (Q, *X).
    blocks : iterable of Batch
        Scaled rows to search, in order.
    symbols : bool, default=False
        Whether elements are symbols.

    Returns
    -------
    int64 Tensor of shape (Q,)
        Places of the nearest rows, counted through all blocks.
    """
    best = torch.full((len(queries),), torch.inf)
    places = torch.zeros(len(queries), dtype=torch.int64)
    start = 0
    for block in blocks:
        found, where = distances(queries, block, symbols=symbols).cpu().min(1)  # (Q,)
        places = torch.where(found < best, start + where, places)
        best = torch.minimum(best, found)
        start += len(block)
    return places


def distances(queries: Batch, block: Batch, *, symbols: bool) -> Float[Tensor, "Q B"]:
    """Give d² of every query to every row."""
    q, x = queries.x.flatten(1), block.x.flatten(1)  # (Q, D), (B, D)
    if symbols:
        return torch.stack([(row != x).float().mean(1) for row in q])
    if queries.mask is None and block.mask is None:
        # |q|² + |x|² - 2qx, without a copy of the block.
        norms = [torch.linalg.vector_norm(rows, dim=1) ** 2 for rows in (q, x)]
        return torch.addmm(norms[0][:, None] + norms[1], q, x.T, alpha=-2).clamp_(min=0) / q.shape[1]
    seen, known = (torch.ones_like(b.x) if b.mask is None else b.mask.expand_as(b.x).float() for b in (queries, block))
    seen, known = seen.flatten(1), known.flatten(1)
    q, x = q * seen, x * known
    squares = (q**2) @ known.T - 2 * q @ x.T + seen @ (x**2).T
    shared = seen @ known.T
    return torch.where(shared > 0, squares.clamp(min=0) / shared.clamp(min=1), torch.inf)
