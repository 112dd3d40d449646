import pytest

import xhat
from xhat.core.errors import ConfigError
from xhat.core.schedule import coefficient


def read(value, **options):
    return coefficient(value, "BetaELBO", "beta", **options)


@pytest.mark.parametrize("value", [0, 0.5, 4])
def test_a_number_stays_itself(value):
    assert read(value) is value


def test_a_schedule_stays_itself():
    schedule = xhat.linear(0, 1, epochs=3)
    assert read(schedule) is schedule


def test_a_text_is_a_schedules_call():
    schedule = read("linear(0, 4.5, epochs=10)")
    assert (schedule.start, schedule.stop, schedule.epochs) == (0, 4.5, 10)


def test_what_falls_below_zero_is_refused():
    with pytest.raises(ConfigError, match=r"BetaELBO: beta must be >= 0, got -1\. Use 0 for none\."):
        read(-1)
    with pytest.raises(ConfigError, match="BetaELBO: beta must be >= 0, got a schedule to -2"):
        read("linear(0, -2, epochs=10)")


@pytest.mark.parametrize("value", [None, True, float("nan"), [1], "much", "linear", "1 + 1", "linear(0, x, epochs=3)"])
def test_what_is_neither_is_refused(value):
    with pytest.raises(ConfigError, match=r"beta.* must be a number or a schedule"):
        read(value)


def test_a_text_runs_nothing():
    with pytest.raises(ConfigError, match="must be a number or a schedule"):
        read("linear(__import__('os').getpid(), 1, epochs=3)")


def test_a_schedule_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"there is no schedule 'liner'\. Did you mean 'linear'\?"):
        read("liner(0, 1, epochs=3)")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("linear(0, 1)", "missing a required argument: 'epochs'"),
        ("linear(0, 1, 2, 3)", "linear takes at most 3 numbers"),
        ("linear(0, 1, epoch=2)", "has no argument 'epoch'. Did you mean 'epochs'?"),
        ("linear(0, 1, start=5, epochs=10)", "linear must be given 'start' once"),
        ("linear(0, 1, epochs=3, epochs=10)", "linear must be given 'epochs' once"),
        ("linear('a', 1, 3)", "linear's start must be a finite number, got 'a'"),
        ("linear(0, [1], 3)", "linear's stop must be a finite number, got [1]"),
        ("linear(0, 1, epochs=True)", "linear's epochs must be a finite number, got True"),
        ("linear(0, 1e999, 3)", "linear's stop must be a finite number, got inf"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(text, says):
    with pytest.raises(ConfigError) as error:
        read(text)
    assert says in str(error.value)
    assert str(error.value).count("\n") == 0


def test_every_argument_can_be_named():
    schedule = read("cyclical(stop=2, start=0, epochs=10, cycles=5)")
    assert (schedule.start, schedule.stop, schedule.epochs, schedule.cycles) == (0, 2, 10, 5)
