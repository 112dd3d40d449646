import pytest
import torch

from xhat.core import Batch, Loss, Objective
from xhat.parts.objectives.symmetries import SIDES, Symmetries, from_side, to_side


class Seen(Objective):
    """Keeps the batch that it is asked about."""

    def forward(self, model, batch):
        self.batch = batch
        return Loss(distortion=batch.x.flatten(1).sum(1))


def test_there_are_eight_sides_and_each_can_be_undone():
    x = torch.arange(9.0).view(1, 1, 3, 3)
    assert len({tuple(from_side(x, side).flatten().tolist()) for side in range(SIDES)}) == 8
    for side in range(SIDES):
        assert torch.equal(to_side(from_side(x, side), side), x)


def test_training_shows_every_side_and_evaluation_the_first():
    torch.manual_seed(0)
    inner = Seen()
    objective, x = Symmetries(inner), torch.arange(9.0).view(1, 1, 3, 3)
    shown = set()
    for _ in range(100):
        objective(None, Batch(x))
        shown.add(tuple(inner.batch.x.flatten().tolist()))
    assert len(shown) == 8
    objective.eval()(None, Batch(x))
    assert torch.equal(inner.batch.x, x)


def test_what_belongs_to_an_image_turns_with_it():
    torch.manual_seed(2)
    inner, x = Seen(), torch.rand(2, 1, 4, 4)
    y = torch.tensor([0, 1])
    Symmetries(inner)(None, Batch(x, mask=x > 0.5, y=y, corrupted=2 * x))
    batch = inner.batch
    assert not torch.equal(batch.x, x)
    assert torch.equal(batch.mask, batch.x > 0.5)
    assert torch.equal(batch.corrupted, 2 * batch.x)
    assert torch.equal(batch.y, y)


@pytest.mark.parametrize("shape", [(2, 1, 4, 6), (2, 6)])
def test_the_shape_of_rows_stays(shape):
    inner, x = Seen(), torch.rand(shape)
    for _ in range(20):
        Symmetries(inner)(None, Batch(x))
        assert inner.batch.x.shape == shape
