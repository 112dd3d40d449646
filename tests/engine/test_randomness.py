import pytest
import torch

from xhat.engine.randomness import epoch_order, private_randomness


def draws(seed: int) -> torch.Tensor:
    with private_randomness(seed):
        return torch.randn(5)


def test_a_seed_gives_the_same_draws_and_leaves_no_trace():
    before = torch.get_rng_state()
    assert torch.equal(draws(3), draws(3))
    assert not torch.equal(draws(3), draws(4))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_state_comes_back_after_an_error_too():
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), private_randomness(0):
        torch.randn(5) // (1 // 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("seed", [-1, 2**31, 2**64 + 1, 20_261_122_154_000_123_456])
def test_any_integer_is_a_seed(seed):
    assert torch.equal(draws(seed), draws(seed))
    rows = torch.arange(9)
    assert epoch_order(rows, seed, 1).sort().values.equal(rows)


def test_an_epochs_order_is_a_shuffle_that_depends_on_the_seed_and_the_epoch_alone():
    rows = torch.tensor([4, 8, 15, 16, 23, 42])
    order = epoch_order(rows, 0, 1)
    torch.randn(7)
    assert torch.equal(epoch_order(rows, 0, 1), order)
    assert torch.equal(order.sort().values, rows)
    many = torch.arange(100)
    orders = [tuple(epoch_order(many, seed, epoch).tolist()) for seed in (0, 1, 2) for epoch in (1, 2, 3)]
    assert len(set(orders)) == 9
