import pytest
import torch

from xhat.engine.sums import Sums


def test_means_are_over_masses():
    sums = Sums()
    sums.add({"a": torch.tensor(1.0), "b": torch.tensor(10.0)}, 3.0)
    sums.add({"a": torch.tensor(5.0), "b": torch.tensor(-2.0)}, 1.0)
    assert sums.means() == {"a": pytest.approx(2.0), "b": pytest.approx(7.0)}
    assert sums.mass == 4.0


def test_a_term_that_is_there_only_at_times_counts_0_elsewhere():
    sums = Sums()
    sums.add({"a": torch.tensor(1.0)}, 1.0)
    sums.add({"b": torch.tensor(3.0), "a": torch.tensor(2.0)}, 1.0)
    sums.add({"b": torch.tensor(3.0)}, 2.0)
    assert sums.means() == {"a": pytest.approx(3 / 4), "b": pytest.approx(9 / 4)}


def test_before_anything_there_is_nothing_and_no_mass_is_no_error():
    assert Sums().means() == {}
    assert Sums().state() == {}
    sums = Sums()
    sums.add({"a": torch.tensor(0.0)}, 0.0)
    assert sums.means() == {"a": 0.0}


def test_a_state_continues_bit_for_bit_and_does_not_move_with_the_sums():
    steps = [({"a": torch.rand(()), "b": torch.rand(())}, float(n)) for n in range(1, 9)]
    whole, part, rest = Sums(), Sums(), Sums()
    for means, mass in steps:
        whole.add(means, mass)
    for means, mass in steps[:3]:
        part.add(means, mass)
    state, mass = part.state(), part.mass
    kept = {name: float(value) for name, value in state.items()}
    part.add(*steps[3])
    assert {name: float(value) for name, value in state.items()} == kept
    rest.restore(state, mass)
    for means, mass in steps[3:]:
        rest.add(means, mass)
    assert rest.means() == whole.means()


def test_what_is_no_number_stays_one():
    sums = Sums()
    sums.add({"a": torch.tensor(float("nan")), "b": torch.tensor(1.0)}, 1.0)
    means = sums.means()
    assert means["a"] != means["a"]
    assert means["b"] == 1.0
