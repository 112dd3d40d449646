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
