import math
from itertools import permutations

import pytest
import torch
from torch import Tensor

from xhat.core.component import build, config
from xhat.core.errors import ShapeError
from xhat.parts.likelihoods.categorical import Categorical
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.likelihoods.laplace import Laplace
from xhat.parts.likelihoods.matched import Matched


def _best_by_trying(likelihood: Gaussian, theta: Tensor, x: Tensor) -> Tensor:
    """The definition: the best of all orders of one set."""
    logs = [likelihood(theta[None]).log_prob(x[None, list(order)]) for order in permutations(range(len(x)))]
    return torch.stack(logs).max()


@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 2, 3)])
def test_is_the_best_of_all_orders(shape: tuple[int, ...]) -> None:
    theta, x = torch.randn(5, *shape), torch.randn(5, *shape)
    expected = torch.stack([_best_by_trying(Gaussian(0.5), t, row) for t, row in zip(theta, x, strict=True)])
    torch.testing.assert_close(Matched(Gaussian(0.5))(theta).log_prob(x), expected)


def test_a_small_set_is_matched_to_the_first_slots() -> None:
    theta, x = torch.randn(4, 5, 2), torch.randn(4, 5, 2)
    counts = [5, 3, 1, 0]
    mask = torch.arange(5) < torch.tensor(counts)[:, None]
    logs = Matched()(theta).log_prob(x, mask)
    for row, m in enumerate(counts[:3]):
        torch.testing.assert_close(logs[row], _best_by_trying(Gaussian(), theta[row, :m], x[row, :m]))
    assert logs[3] == 0


@pytest.mark.parametrize("padding", [0.0, 1e6, math.nan])
def test_order_and_padding_change_nothing(padding: float) -> None:
    theta = torch.randn(6, 5, 2, requires_grad=True)
    x, mask = torch.randn(6, 5, 2), torch.rand(6, 5) < 0.6
    order = torch.rand(6, 5).argsort(1)
    shuffled = torch.where(mask[:, :, None], x, padding).gather(1, order[:, :, None].expand_as(x))
    data = Matched()(theta)
    logs, again = data.log_prob(x, mask), data.log_prob(shuffled, mask.gather(1, order))
    torch.testing.assert_close(logs, again)
    (kept,), (came,) = (torch.autograd.grad(v.sum(), theta, retain_graph=True) for v in (logs, again))
    torch.testing.assert_close(kept, came)


def test_missing_entries_of_an_element_count_nothing() -> None:
    theta = torch.tensor([[[0.0, 0.0], [5.0, 5.0]]])
    x = torch.tensor([[[5.0, math.nan], [0.0, 0.0]]])
    entries = torch.tensor([[[True, False], [True, True]]])
    nothing = 3 * 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(Matched()(theta).log_prob(x, entries), torch.tensor([-nothing]))


def test_gradient_draws_each_slot_to_its_element() -> None:
    theta = torch.tensor([[[0.0], [10.0]]], requires_grad=True)
    Matched()(theta).log_prob(torch.tensor([[[9.0], [2.0]]])).sum().backward()
    torch.testing.assert_close(theta.grad, torch.tensor([[[2.0], [-1.0]]]))


def test_wraps_any_likelihood() -> None:
    theta = torch.tensor([[[9.0, 0, 0], [0, 9, 0], [0, 0, 9]]])
    data = Matched(Categorical(3))(theta)
    assert Matched(Categorical(3)).params((3,)) == (3, 3)
    torch.testing.assert_close(data.log_prob(torch.tensor([[2.0, 0, 1]])), data.log_prob(torch.tensor([[0.0, 1, 2]])))
    assert data.log_prob(torch.tensor([[2.0, 0, 7]])).eq(-math.inf).all()
    assert data.mean.tolist() == [[0, 1, 2]]
    assert data.sample().shape == (1, 3)
    learned = Matched(Gaussian(learned=True))
    learned(torch.zeros(2, 3, 1)).log_prob(torch.ones(2, 3, 1)).sum().backward()
    assert all(p.grad is not None for p in learned.parameters())


def test_config_round_trip() -> None:
    assert config(build(config(Matched(Laplace(2.0))))) == config(Matched(Laplace(2.0)))


def test_refuses_a_mask_of_another_shape() -> None:
    with pytest.raises(ShapeError, match=r"a mask must be of elements, \(2, 3\), or of entries.*got \(2, 4\)"):
        Matched()(torch.zeros(2, 3, 1)).log_prob(torch.zeros(2, 3, 1), torch.ones(2, 4, dtype=torch.bool))
