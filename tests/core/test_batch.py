import pytest
import torch

from xhat.core import Batch


def test_the_encoder_sees_the_corrupted_rows_where_there_are_any():
    x, spoiled = torch.zeros(2, 3), torch.ones(2, 3)
    assert Batch(x).input is x
    assert Batch(x, corrupted=spoiled).input is spoiled


def test_a_batch_counts_rows_and_cannot_be_changed():
    batch = Batch(torch.zeros(4, 3))
    assert len(batch) == 4
    with pytest.raises(AttributeError):
        batch.x = torch.ones(4, 3)


def test_moving_takes_every_tensor_along_and_leaves_none_as_it_is():
    moved = Batch(torch.zeros(2, 3), mask=torch.ones(2, 3, dtype=torch.bool), weight=torch.ones(2)).to("meta")
    assert (moved.x.device.type, moved.mask.device.type, moved.weight.device.type) == ("meta",) * 3
    assert moved.y is None
    assert moved.corrupted is None


def test_repeated_it_stands_draw_after_draw_and_keeps_what_was_left_out():
    batch = Batch(torch.arange(6.0).view(2, 3), mask=torch.tensor([True, False]), y=torch.tensor([4, 5]))
    twice = batch.repeated(2)
    assert torch.equal(twice.x, torch.cat([batch.x, batch.x]))
    assert twice.mask.tolist() == [True, False, True, False]
    assert twice.y.tolist() == [4, 5, 4, 5]
    assert twice.weight is None


def test_rows_are_kept_by_number_or_by_bool():
    batch = Batch(torch.arange(6.0).view(3, 2), y=torch.tensor([4, 5, 6]))
    for rows in (torch.tensor([0, 2]), torch.tensor([True, False, True])):
        some = batch.only(rows)
        assert (some.x.tolist(), some.y.tolist()) == ([[0, 1], [4, 5]], [4, 6])


def test_a_batch_counts_as_much_as_its_rows_weigh():
    assert Batch(torch.zeros(3, 2)).mass == 3
    assert Batch(torch.zeros(3, 2), weight=torch.tensor([0.5, 0.0, 2.0])).mass == 2.5
