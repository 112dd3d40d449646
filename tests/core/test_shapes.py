import pytest
import torch

from xhat.core.errors import ShapeError
from xhat.core.shapes import as_shape, per_row, size, spread


@pytest.mark.parametrize(("given", "shape"), [(3, (3,)), ([1, 28, 28], (1, 28, 28)), ((5,), (5,))])
def test_a_shape_is_read_from_numbers_lists_and_tuples(given, shape):
    assert as_shape(given, "Who") == shape


@pytest.mark.parametrize("given", [0, (), (3, 0), (-1,)])
def test_empty_axes_are_refused(given):
    with pytest.raises(ShapeError, match="Who: every axis of a shape must be >= 1"):
        as_shape(given, "Who")


def test_size_counts_one_row():
    assert size((2, 3, 4)) == 24
    assert size(()) == 1


def test_rows_are_summed_over_all_other_axes():
    terms = torch.arange(12.0).reshape(2, 3, 2)
    assert per_row(terms).tolist() == [15.0, 51.0]
    assert per_row(torch.ones(4)).tolist() == [1.0] * 4


@pytest.mark.parametrize("given", [(2,), (2, 3), (2, 3, 4)])
def test_values_are_spread_over_the_axes_behind_their_own(given):
    like, values = torch.ones(2, 3, 4), torch.rand(given)
    found = spread(values, like).expand_as(like)
    assert spread(values, like).ndim == 3
    for place in [(0, 0, 0), (1, 2, 3), (0, 2, 1)]:
        assert found[place] == values[place[: len(given)]]
