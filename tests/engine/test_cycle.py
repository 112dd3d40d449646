import pytest

from xhat.engine.cycle import one_cycle


def test_the_rate_rises_over_a_tenth_and_falls_to_nothing():
    assert one_cycle(0) == 0
    assert one_cycle(0.05) == pytest.approx(0.5)
    assert one_cycle(0.1) == pytest.approx(1)
    assert one_cycle(0.55) == pytest.approx(0.5)  # half way down
    assert one_cycle(1) == pytest.approx(0)


def test_it_rises_once_and_falls_once():
    shares = [one_cycle(i / 1000) for i in range(1001)]
    top = shares.index(max(shares))
    assert top == 100
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)
