import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.corruptions.masking import Masking


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_of_hidden_elements_is_as_asked(share):
    hidden = Masking(share, value=-7.0)(torch.ones(200, 200)) == -7
    assert float(hidden.float().mean()) == pytest.approx(share, abs=0.01)
    # Elements are hidden one by one, not by rows or columns.
    assert float(hidden.float().mean(0).std()) == pytest.approx((share * (1 - share) / 200) ** 0.5, rel=0.3)


def test_what_is_not_hidden_stays_as_it_was():
    x = torch.rand(20, 20) + 1
    spoiled = Masking(0.5)(x)
    assert torch.equal(spoiled[spoiled != 0], x[spoiled != 0])


def test_a_share_of_one_hides_everything():
    assert not Masking(1)(torch.ones(5, 5)).any()


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(ConfigError, match=r"corruptions/masking: share must lie in \[0, 1\]"):
        Masking(share)
