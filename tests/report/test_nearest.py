"""The nearest rows are those that a plain search finds."""

import torch

from xhat.core.batch import Batch
from xhat.report.nearest import nearest


def blocks(batch: Batch, size: int) -> list[Batch]:
    masks = batch.mask.split(size) if batch.mask is not None else [None] * len(batch.x)
    return [Batch(x, mask=mask) for x, mask in zip(batch.x.split(size), masks, strict=False)]


def test_blocks_change_nothing() -> None:
    rows, queries = Batch(torch.randn(57, 2, 3)), Batch(torch.randn(9, 2, 3))
    plain = torch.cdist(queries.x.flatten(1), rows.x.flatten(1)).argmin(1)
    for size in (1, 10, 57):
        assert torch.equal(nearest(queries, blocks(rows, size)), plain)


def test_only_what_both_show_is_compared() -> None:
    x, q = torch.randn(40, 6), torch.randn(7, 6)
    mask, seen = torch.rand(40, 6) > 0.3, torch.rand(7, 6) > 0.3
    both = seen[:, None] & mask
    squares = ((q[:, None] - x) ** 2 * both).sum(2) / both.sum(2)
    plain = torch.where(both.any(2), squares, torch.inf).argmin(1)
    rows = Batch(torch.where(mask, x, 0.0), mask=mask)
    assert torch.equal(nearest(Batch(torch.where(seen, q, 0.0), mask=seen), blocks(rows, 16)), plain)


def test_symbols_differ_or_do_not() -> None:
    rows = Batch(torch.tensor([[1.0, 2, 3], [9, 2, 3], [1, 2, 9]]))
    query = Batch(torch.tensor([[100.0, 2, 3], [1, 2, 8]]))
    assert nearest(query, [rows], symbols=True).tolist() == [0, 0]
