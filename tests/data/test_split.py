import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xhat.core.errors import ConfigError, DataError
from xhat.data import Split
from xhat.data.split import sparse


@given(st.integers(2, 500), st.floats(0.001, 0.999), st.integers(0, 10), st.integers(1, 100))
def test_sides_are_disjoint_sorted_and_cover_all(n, validation, seed, most):
    split = Split.draw(n, validation, seed=seed, most=most)
    assert 1 <= len(split.validation) <= most
    assert len(split.train) >= 1
    assert abs(len(split.validation) - min(max(n * validation, 1), most, n - 1)) <= 0.5
    both = torch.cat([split.train, split.validation])
    assert torch.equal(both.sort().values, torch.arange(n))
    for side in (split.train, split.validation):
        assert side.dtype == torch.int64
        assert torch.equal(side, side.sort().values)


def test_the_seed_decides_and_torch_s_own_state_does_not():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = Split.draw(100, seed=3)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    again = Split.draw(100, seed=3)
    assert torch.equal(first.validation, again.validation)
    assert not torch.equal(first.validation, Split.draw(100, seed=4).validation)


def test_validation_is_drawn_from_everywhere():
    assert Split.draw(10_000).validation.float().mean() == pytest.approx(5000, abs=400)


def test_no_more_than_most_validate():
    assert len(Split.draw(200_000).validation) == 10_000


@pytest.mark.parametrize("validation", [0, 1, -0.1, 1.5, float("nan")])
def test_refuses_a_share_outside_the_open_interval(validation):
    with pytest.raises(ConfigError, match=r"validation must lie in \(0, 1\), got"):
        Split.draw(10, validation)


def test_refuses_most_below_one_and_a_single_row():
    with pytest.raises(ConfigError, match="most must be >= 1, got 0"):
        Split.draw(10, most=0)
    with pytest.raises(DataError, match="needs at least 2 rows, got 1"):
        Split.draw(1)


def test_what_only_one_row_tells_is_left_to_train():
    plain = Split.draw(40, 0.25)
    seen = torch.ones(40, 3, dtype=torch.bool)
    assert torch.equal(Split.draw(40, 0.25, seen=seen).validation, plain.validation)  # nothing is in danger
    only, pair, free = plain.validation[0], plain.validation[1:3], plain.validation[3:]
    seen[:, 1:] = False
    seen[only, 1] = seen[pair, 2] = True
    split = Split.draw(40, 0.25, seen=seen)
    assert len(split.validation) == len(plain.validation)
    assert only in split.train
    assert torch.isin(pair, split.train).sum() == 1  # one of two is enough
    assert torch.isin(free, split.validation).all()
    assert torch.equal(torch.cat([split.train, split.validation]).sort().values, torch.arange(40))


def test_rows_of_which_each_alone_tells_something_are_split_all_the_same():
    split = Split.draw(6, 0.5, seen=torch.eye(6, dtype=torch.bool))
    assert torch.equal(split.validation, Split.draw(6, 0.5).validation)


@given(st.integers(8, 5000), st.integers(0, 10))
def test_a_few_out_of_many_are_drawn_without_a_shuffle(n, seed):
    split, again = sparse(n, n // 8, seed), sparse(n, n // 8, seed)
    assert len(split.validation) == n // 8
    assert torch.equal(torch.cat([split.train, split.validation]).sort().values, torch.arange(n))
    assert torch.equal(split.validation, again.validation)
    assert torch.equal(split.validation, split.validation.sort().values)


def test_few_are_drawn_evenly():
    rows = torch.cat([sparse(10_000, 1000, seed).validation for seed in range(20)])
    counts = torch.bincount(rows // 1000, minlength=10)
    # Twenty thousand draws in ten parts: three standard deviations are 127.
    assert (counts - 2000).abs().max() < 130
