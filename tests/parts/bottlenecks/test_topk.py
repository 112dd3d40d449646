import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.bottlenecks._silence import Silence
from xhat.parts.bottlenecks.topk import TopK


def test_the_k_largest_positive_entries_stay_where_they_are():
    h = torch.tensor([[0.1, 3.0, -9.0, 2.0], [-1.0, -2.0, 0.5, -3.0]])
    assert TopK((4,), 2)(h).z.tolist() == [[0, 3, 0, 2], [0, 0, 0.5, 0]]


def test_it_is_the_rows_sorted_and_cut():
    h = torch.randn(200, 3, 4, 5)
    flat = h.flatten(1).clamp(min=0)
    least = flat.sort(1, descending=True).values[:, 6:7]
    expected = torch.where(flat >= least, flat, 0).view_as(h)
    assert torch.equal(TopK((3, 4, 5), 7)(h).z, expected)


def test_a_gradient_reaches_the_units_that_fire_and_no_other():
    h = torch.randn(20, 8, requires_grad=True)
    z = TopK((8,), 3)(h).z
    weight = torch.randn(20, 8)
    (weight * z).sum().backward()
    assert torch.equal(h.grad, weight * (z != 0))


def test_rows_are_counted_since_a_unit_last_fired():
    bottleneck = TopK((3,), 1)
    for rows in ([[9.0, 0, 0], [9.0, 1, 0]], [[1.0, 2, 0]], [[0.0, 1, 0], [1.0, 0, 0], [1.0, 0, 0]]):
        bottleneck(torch.tensor(rows))
    assert bottleneck.silence.rows.tolist() == [0, 0, 6]
    bottleneck(torch.tensor([[1.0, 0, 0]] * 4))
    assert bottleneck.silence.rows.tolist() == [0, 4, 10]


def test_only_training_with_gradients_is_counted():
    bottleneck, h = TopK((3,), 1), torch.randn(7, 3)
    with torch.no_grad():
        bottleneck(h)
    bottleneck.eval()(h)
    assert bottleneck.silence.rows.tolist() == [0, 0, 0]
    bottleneck.train()(-h.abs())
    assert bottleneck.silence.rows.tolist() == [7, 7, 7]


def test_silent_units_give_their_largest_pre_activations():
    bottleneck = TopK((6,), 1, silent_after=2, revived=2)
    say = torch.tensor([[9.0, 1.0, 2.0, 3.0, -4.0, 8.0]])
    assert bottleneck(say).silent is None
    bottleneck(say)
    # Units 1 to 5 have been silent for two rows; unit 0 speaks in the code.
    assert bottleneck(say).silent.tolist() == [[0, 0, 0, 3, 0, 8]]
    assert bottleneck.eval()(say).silent is None


def test_a_gradient_reaches_silent_units_by_what_they_would_have_said():
    bottleneck = TopK((4,), 1, silent_after=1, revived=4)
    h = torch.tensor([[9.0, 1.0, -2.0, 3.0]], requires_grad=True)
    bottleneck(h)
    bottleneck(h).silent.sum().backward()
    assert h.grad.tolist() == [[0, 1, 0, 1]]


@pytest.mark.parametrize(("units", "revived"), [(3, 1), (80, 10), (100_000, 512)])
def test_an_eighth_of_the_units_may_be_revived(units, revived):
    assert Silence((units,), 1, None, "Test").revived == revived


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"k": 0}, "k must be between 1 and the code's 8 units"),
        ({"k": 9}, "k must be between 1 and the code's 8 units"),
        ({"k": 2, "silent_after": 0}, "silent_after must be >= 1"),
        ({"k": 2, "revived": 9}, "revived must be between 1 and the code's 8 units"),
    ],
)
def test_bad_arguments_are_refused(arguments, rule):
    with pytest.raises(ConfigError, match=f"TopK: {rule}"):
        TopK((8,), **arguments)
