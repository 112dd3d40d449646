import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.corruptions.salt_and_pepper import SaltAndPepper


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_half_of_the_share_becomes_each_end(share):
    spoiled = SaltAndPepper(share, low=-3.0, high=5.0)(torch.zeros(300, 300))
    for end in (-3.0, 5.0):
        taken = (spoiled == end).float()
        assert float(taken.mean()) == pytest.approx(share / 2, abs=0.01)
        # Elements are spoiled one by one, not by rows or columns.
        deviation = (share / 2 * (1 - share / 2) / 300) ** 0.5
        assert float(taken.mean(0).std()) == pytest.approx(deviation, rel=0.3)


def test_what_is_not_spoiled_stays_as_it_was():
    x = torch.rand(50, 50) * 0.8 + 0.1
    spoiled = SaltAndPepper(0.4)(x)
    assert ((spoiled == x) | (spoiled == 0) | (spoiled == 1)).all()
    assert 0.5 < float((spoiled == x).float().mean()) < 0.7


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(ConfigError, match=r"corruptions/salt_and_pepper: share must lie in \[0, 1\]"):
        SaltAndPepper(share)


def test_ends_in_the_wrong_order_are_refused():
    with pytest.raises(ConfigError, match=r"low must be < high, got 1 and 0"):
        SaltAndPepper(0.1, low=1.0, high=0.0)
