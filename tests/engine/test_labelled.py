from collections import Counter

import pytest
import torch

from xhat.engine.labelled import Order
from xhat.engine.randomness import epoch_order
from xhat.parts.objectives.denoising import Denoising
from xhat.parts.objectives.m2 import M2

ROWS = torch.arange(100, 200)
FEW = torch.full((200,), -1)
FEW[100:112] = torch.arange(12) % 3
FEW[:100] = 1  # rows that are not learned from


def order(y=FEW, share=0.25, batch_size=16, seed=0):
    return Order.of(ROWS, y, share, batch_size, seed)


def labelled(rows):
    return FEW[rows] >= 0


@pytest.mark.parametrize("share", [0.15, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("batch_size", [2, 16, 100])
def test_each_batch_has_its_share_and_each_row_without_a_label_comes_once(share, batch_size):
    made = order(share=share, batch_size=batch_size)
    drawn = min(max(round(share * batch_size), 1), batch_size - 1)
    rows = made.epoch(1)
    parts = rows.split(batch_size)
    assert len(parts) == made.steps
    assert len(rows) == len(made)
    assert all(int(labelled(part).sum()) == drawn for part in parts)
    assert rows[~labelled(rows)].sort().values.tolist() == list(range(112, 200))


def test_labelled_rows_come_equally_often():
    rows = order(share=0.5, batch_size=8).epoch(3)  # 22 steps of 4: 88 places for 12 rows
    counts = Counter(rows[labelled(rows)].tolist())
    assert set(counts.values()) == {7, 8}
    assert len(counts) == 12


def test_it_is_a_function_of_the_rows_the_labels_the_seed_and_the_epoch():
    first = order().epoch(2)
    torch.randn(3)
    assert torch.equal(order().epoch(2), first)
    seen = [tuple(order(seed=seed).epoch(number).tolist()) for seed in (0, 1) for number in (1, 2)]
    assert len(set(seen)) == 4
    drawn = [tuple(rows for rows in epoch if labelled(rows)) for epoch in seen]
    assert len(set(drawn)) == 4


@pytest.mark.parametrize(
    ("y", "share", "batch_size"),
    [
        (None, 0.5, 16),
        (FEW, 0.0, 16),
        (FEW, 0.12, 100),  # a shuffle's own share
        (torch.zeros(200, dtype=torch.int64), 0.5, 16),
        (torch.full((200,), -1), 0.5, 16),
        (FEW.float(), 0.5, 16),  # numbers, of which -1 is one
        (FEW.unsqueeze(1).expand(200, 2), 0.5, 16),
        (FEW, 0.5, 1),
    ],
)
def test_elsewhere_it_is_a_shuffle(y, share, batch_size):
    made = order(y, share, batch_size)
    assert torch.equal(made.epoch(4), epoch_order(ROWS, 0, 4))
    assert made.steps == -(-100 // batch_size)


def test_a_wrapped_objective_keeps_its_share():
    assert Denoising(M2(labelled_share=0.4)).labelled_share == 0.4
    assert Denoising().labelled_share == 0
