from dataclasses import replace

import pytest
import tiny
import torch

from xhat.engine import ready
from xhat.engine.ready import cut, ready_batches
from xhat.engine.trainee import Trainee

CPU = torch.device("cpu")
ROWS = torch.tensor([5, 3, 8, 1, 7, 0, 2, 9, 4, 6, 11])


class Weighed:
    """The rows of some data, each with a weight, counting how often they are asked for."""

    def __init__(self, data):
        self.data, self.weight, self.asked = data, torch.rand(len(data)), 0

    def batch(self, rows):
        self.asked += 1
        return replace(self.data.batch(rows), weight=self.weight[rows])


def trainee():
    plan = tiny.plan()
    return Trainee(plan.recipe.model, plan.recipe.objective, plan.scaling)


@pytest.mark.parametrize("numbers", [1, 200, 64 * 6, 1 << 20])  # blocks of one batch, of one, of three, of all
@pytest.mark.parametrize("start", [0, 1, 2, 3])
def test_batches_are_those_taken_one_by_one_whatever_the_block(monkeypatch, numbers, start):
    monkeypatch.setattr(ready, "BLOCK", numbers)
    who, data = trainee(), Weighed(tiny.data())
    given = list(ready_batches(who, data, ROWS, 2, start, CPU))
    assert len(given) == 6 - start
    for (batch, mass), rows in zip(given, ROWS.split(2)[start:], strict=True):
        assert torch.equal(batch.x, who.ready(tiny.data().batch(rows)).x)
        assert torch.equal(batch.y, tiny.data().y[rows])
        assert mass == pytest.approx(float(data.weight[rows].sum()))


def test_a_block_is_asked_for_once():
    data = Weighed(tiny.data())
    assert len(list(ready_batches(trainee(), data, ROWS, 2, 0, CPU))) == 6
    assert data.asked == 2  # one row to learn its size, and all of them


def test_a_batch_lies_where_it_did_in_a_walk_from_the_start(monkeypatch):
    # Kernels may round by where numbers lie in memory: a run that goes on must find them at the same places.
    monkeypatch.setattr(ready, "BLOCK", 64 * 6)
    places = [
        [batch.x.storage_offset() for batch, _ in ready_batches(trainee(), tiny.data(), ROWS, 2, start, CPU)]
        for start in (0, 2, 4)
    ]
    assert places[0][2:] == places[1]
    assert places[0][4:] == places[2]


def test_a_mass_counts_rows_where_none_has_a_weight():
    masses = [mass for _, mass in ready_batches(trainee(), tiny.data(), ROWS, 4, 0, CPU)]
    assert masses == [4.0, 4.0, 3.0]


def test_data_that_is_streamed_is_taken_batch_by_batch():
    class Streamed(Weighed):
        streams = True

    data = Streamed(tiny.data())
    given = list(ready_batches(trainee(), data, ROWS, 4, 1, CPU))
    assert [len(batch) for batch, _ in given] == [4, 3]
    assert data.asked == 2


def test_cutting_keeps_what_is_not_there():
    whole = tiny.data().batch(ROWS)
    parts = list(cut(whole, 5))
    assert [len(part) for part in parts] == [5, 5, 1]
    assert all(part.mask is None and part.weight is None for part in parts)
    assert torch.equal(torch.cat([part.y for part in parts]), whole.y)
