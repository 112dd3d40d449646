import math

import pytest

import xhat
from xhat.core.errors import ConfigError


@pytest.mark.parametrize(
    ("epoch", "value"),
    [(0, 0), (1, 0.5), (2, 1), (3.9, 1), (4, 0), (5, 0.5), (6, 1), (8, 0), (10.5, 1), (12, 1), (13, 1), (math.inf, 1)],
)
def test_it_rises_in_the_first_half_of_every_cycle_and_stays_after_the_last(epoch, value):
    assert xhat.cyclical(0, 1, epochs=12, cycles=3).value(epoch) == pytest.approx(value)


def test_a_cycle_that_only_rises():
    schedule = xhat.cyclical(2, 4, epochs=8, cycles=2, rise=1)
    assert [schedule.value(t) for t in (0, 1, 2, 3, 4, 6)] == [2, 2.5, 3, 3.5, 2, 3]


def test_one_cycle_is_a_line_and_a_rest():
    once, line = xhat.cyclical(0, 1, epochs=10, cycles=1), xhat.linear(0, 1, epochs=5)
    assert [once.value(t) for t in range(20)] == [line.value(t) for t in range(20)]


@pytest.mark.parametrize(
    ("argument", "value", "says"),
    [
        ("epochs", 0, "> 0"),
        ("cycles", 0, "a whole"),
        ("cycles", 2.5, "a whole"),
        ("rise", 0, "lie in"),
        ("rise", 1.5, "lie in"),
    ],
)
def test_bad_arguments_are_refused(argument, value, says):
    with pytest.raises(ConfigError, match=f"schedules/cyclical: {argument} must (be )?{says}.*, got {value}"):
        xhat.cyclical(**{"start": 0, "stop": 1, "epochs": 4} | {argument: value})
