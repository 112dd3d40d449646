import pytest
import torch

from xhat.core import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.recipes.dae import dae
from xhat.parts.corruptions.cell_masking import CellMasking
from xhat.parts.likelihoods.mixed import Mixed


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cells_are_hidden_whole_and_each_for_itself(share):
    seen = CellMasking((1, 3, 2), share).visible(torch.ones(20_000, 6))
    first, second, third = seen[:, :1], seen[:, 1:4], seen[:, 4:]
    for block in (first, second, third):
        assert torch.equal(block.any(1), block.all(1))
        assert float(block[:, 0].double().mean()) == pytest.approx(1 - share, abs=0.015)
    both = float((second[:, 0] & third[:, 0]).double().mean())
    assert both == pytest.approx((1 - share) ** 2, abs=0.015)


def test_what_is_hidden_takes_the_value_and_the_rest_stays():
    torch.manual_seed(0)
    x = torch.rand(50, 4) + 1
    masking = CellMasking((1, 3), 0.5, value=-7.0)
    spoiled = masking(x)
    assert {*spoiled[spoiled < 0].tolist()} == {-7}
    assert torch.equal(spoiled[spoiled > 0], x[spoiled > 0])


def test_denoising_of_a_mixed_table_hides_cells():
    recipe = dae((4,), latent=2, mixed=Mixed((0, 3)), options={"hidden": (8,)})
    torch.manual_seed(0)
    x = torch.cat([torch.randn(400, 1), torch.eye(3)[torch.randint(3, (400,))]], 1)
    batch = recipe.objective.changed(Batch(x))
    spoiled = batch.input[:, 1:]
    # A category is there, or nothing of it: no noise, and no part of a block.
    assert {*map(tuple, spoiled.tolist())} == {(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)}
    assert float((spoiled.sum(1) == 0).double().mean()) == pytest.approx(0.25, abs=0.06)
    assert torch.equal(batch.x, x)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: CellMasking(()), ConfigError, r"widths must be >= 1, one a column, got \(\)"),
        (lambda: CellMasking((1, 0)), ConfigError, r"widths must be >= 1, one a column, got \(1, 0\)"),
        (lambda: CellMasking((1,), 1.5), ConfigError, r"share must lie in \[0, 1\], got 1.5"),
        (lambda: CellMasking((1, 3))(torch.zeros(2, 5)), ShapeError, r"these columns make rows of \(4,\), got \(5,\)"),
    ],
)
def test_what_hides_no_cells_is_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()
