import math

import pytest

import xhat
from xhat.core.errors import ConfigError


@pytest.mark.parametrize(
    ("epoch", "value"), [(0, 1.0), (10 / 3, 1.5), (5, 2.0), (20 / 3, 2.5), (10, 3.0), (99, 3.0), (math.inf, 3.0)]
)
def test_it_goes_along_a_cosine_and_stays(epoch, value):
    assert xhat.cosine(1, 3, epochs=10).value(epoch) == pytest.approx(value, abs=1e-12)


def test_it_is_slow_at_both_ends():
    schedule = xhat.cosine(0, 1, epochs=10)
    first, middle, last = (schedule.value(t + 0.1) - schedule.value(t) for t in (0, 5, 9.9))
    assert first == pytest.approx(last)
    assert middle > 50 * first


def test_its_lowest_value_is_an_end():
    assert xhat.cosine(3, -1, epochs=2).lowest == -1
    assert xhat.cosine(0, 1, epochs=2).lowest == 0


def test_no_epochs_are_refused():
    with pytest.raises(ConfigError, match="schedules/cosine: epochs must be > 0, got -1"):
        xhat.cosine(0, 1, epochs=-1)
