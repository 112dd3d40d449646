import tiny
import torch

from xhat.engine.rows import batches


def test_batches_hold_every_row_once_in_order_and_the_last_may_be_smaller():
    rows = torch.tensor([5, 3, 8, 1, 7, 0, 2])
    cut = list(batches(tiny.data(), rows, 3))
    assert [len(batch) for batch in cut] == [3, 3, 1]
    assert torch.equal(torch.cat([batch.x for batch in cut]), tiny.data().x[rows])
    assert torch.equal(torch.cat([batch.y for batch in cut]), tiny.data().y[rows])


def test_they_can_start_at_any_batch():
    rows = torch.arange(10)
    whole = [batch.x for batch in batches(tiny.data(), rows, 4)]
    late = [batch.x for batch in batches(tiny.data(), rows, 4, start=1)]
    assert len(late) == 2
    assert all(map(torch.equal, late, whole[1:]))
    assert not list(batches(tiny.data(), rows, 4, start=3))
