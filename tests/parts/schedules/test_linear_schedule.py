import pytest

import xhat
from xhat.core.errors import ConfigError


@pytest.mark.parametrize(("epoch", "value"), [(0, 1.0), (2.5, 1.5), (10, 3.0), (99, 3.0), (float("inf"), 3.0)])
def test_it_goes_straight_and_stays(epoch, value):
    assert xhat.linear(1, 3, epochs=10).value(epoch) == value


def test_its_lowest_value_is_an_end():
    assert xhat.linear(3, -1, epochs=2).lowest == -1
    assert xhat.linear(0, 1, epochs=2).lowest == 0


def test_no_epochs_are_refused():
    with pytest.raises(ConfigError, match="schedules/linear: epochs must be > 0, got 0"):
        xhat.linear(0, 1, epochs=0)
