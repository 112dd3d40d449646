import pytest
import torch

from xhat.engine.spike_clip import SpikeClip


def length(gradients) -> float:
    return float(torch.cat([g.flatten() for g in gradients]).norm())


def of_length(size: float) -> list[torch.Tensor]:
    """Two gradients that together are that long."""
    together = torch.randn(10)
    return list((together * (size / together.norm())).split([4, 6]))


def test_the_first_gradient_passes_whatever_its_length():
    clip, gradients = SpikeClip(5.0), of_length(1e6)
    clip(gradients)
    assert length(gradients) == pytest.approx(1e6)


def test_a_spike_is_cut_to_the_factor_times_the_mean_in_its_own_direction():
    clip = SpikeClip(5.0)
    for _ in range(20):
        clip(of_length(2.0))
    spike = of_length(1000.0)
    before = [g.clone() for g in spike]
    clip(spike)
    assert length(spike) == pytest.approx(10.0, rel=1e-4)
    for cut, whole in zip(spike, before, strict=True):
        torch.testing.assert_close(cut, whole / 100)


def test_others_pass_untouched():
    clip = SpikeClip(5.0)
    for size in (1.0, 4.9, 0.1, 4.0):
        gradients = of_length(size)
        before = [g.clone() for g in gradients]
        clip(gradients)
        assert all(map(torch.equal, gradients, before))


def test_a_spike_enters_the_mean_only_as_it_was_cut():
    clip = SpikeClip(5.0)
    clip(of_length(1.0))
    clip(of_length(1e9))
    assert float(clip.mean) == pytest.approx(0.98 * 1 + 0.02 * 5)


def test_longer_gradients_are_let_through_once_they_are_usual():
    clip = SpikeClip(5.0)
    clip(of_length(1.0))
    for _ in range(300):
        gradients = of_length(100.0)
        clip(gradients)
    assert length(gradients) == pytest.approx(100.0)


def test_gradients_of_0_do_not_hold_back_those_that_follow():
    clip = SpikeClip(5.0)
    clip(of_length(0.0))
    gradients = of_length(3.0)
    clip(gradients)
    assert length(gradients) == pytest.approx(3.0)
    assert float(clip.mean) > 0


def test_0_cuts_nothing_and_no_gradients_are_no_error():
    clip = SpikeClip(0.0)
    clip(of_length(1.0))
    gradients = of_length(1e9)
    clip(gradients)
    assert length(gradients) == pytest.approx(1e9)
    SpikeClip(5.0)([])
