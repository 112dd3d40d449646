import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xhat.core.errors import ConfigError
from xhat.data import scaling as module
from xhat.data.scaling import Scaling

EVERY = ["none", "unit", "global", "standard", "range"]


def with_gaps(n=50):
    x = torch.randn(n, 4) * torch.tensor([1.0, 10.0, 0.1, 3.0]) + torch.tensor([0.0, 5.0, -2.0, 100.0])
    x[torch.rand(n, 4) < 0.2] = math.nan
    return x


@pytest.mark.parametrize("how", EVERY)
@given(x=arrays(np.float32, (6, 3), elements=st.floats(-100, 100, width=16)))
@settings(max_examples=25, deadline=None)
def test_the_way_back_is_the_inverse(how, x):
    x = torch.from_numpy(x)
    x[0, 0], x[1, 0] = -101.0, 101.0  # a range of its own
    scaling = Scaling.fit(how, x)
    torch.testing.assert_close(scaling.inverse(scaling(x)), x, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("how", EVERY)
def test_missing_entries_become_zero_and_no_other_does(how):
    x = with_gaps()
    scaled = Scaling.fit(how, x)(x)
    assert scaled.dtype == torch.float32
    assert not scaled[x.isnan()].any()
    known = ~x.isnan()
    assert scaled.isfinite().all()
    assert (scaled[known] != 0).sum() >= known.sum() - 1  # the lowest value of all is 0 in the unit range


@pytest.mark.parametrize("block", [7, 4096])
def test_the_moments_are_those_of_numpy(monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    x = with_gaps()
    mean, std = np.nanmean(x.double(), 0), np.nanstd(x.double(), 0)
    standard, whole = Scaling.fit("standard", x), Scaling.fit("global", x)
    np.testing.assert_allclose(standard.centre, mean, rtol=1e-5)
    np.testing.assert_allclose(standard.spread, std, rtol=1e-5)
    np.testing.assert_allclose(whole.centre, mean, rtol=1e-5)
    known = (~x.isnan()).sum(0).numpy()
    assert float(whole.spread) == pytest.approx(float(np.sqrt((std**2 * known).sum() / known.sum())), rel=1e-5)


@pytest.mark.parametrize("block", [7, 4096])
def test_the_unit_range_runs_from_the_lowest_to_the_highest_known_value(monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    x = with_gaps()
    scaled = Scaling.fit("unit", x)(x)[~x.isnan()]
    assert (float(scaled.min()), float(scaled.max())) == (0.0, 1.0)


def test_standard_data_has_mean_zero_and_deviation_one_in_each_element():
    x = torch.randn(200, 2, 3) * 5 + 3
    scaled = Scaling.fit("standard", x)(x)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(2, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(scaled.std(0, correction=0), torch.ones(2, 3))


def test_range_makes_all_ranges_equal_and_the_mean_variance_one():
    x = with_gaps()
    x[:, 3] = (torch.rand(50) < 0.05) * 7.0  # rarely other than 0
    scaled = torch.where(x.isnan(), torch.nan, Scaling.fit("range", x)(x)).numpy()
    ranges = np.nanmax(scaled, 0) - np.nanmin(scaled, 0)
    np.testing.assert_allclose(ranges, ranges[0], rtol=1e-5)
    assert np.nanmean((scaled - np.nanmean(scaled, 0)) ** 2) == pytest.approx(1, rel=1e-5)


def test_elements_that_never_vary_do_not_widen_the_range_of_others():
    x = with_gaps()
    wide = torch.cat([x, torch.full((50, 30), 7.0), torch.full((50, 2), torch.nan)], 1)
    torch.testing.assert_close(Scaling.fit("range", wide).spread[:4], Scaling.fit("range", x).spread)
    assert (Scaling.fit("range", wide).spread[4:] == 1).all()


def test_global_scaling_keeps_the_proportions_of_elements():
    x = torch.randn(500, 2) * torch.tensor([1.0, 10.0])
    scaled = Scaling.fit("global", x)(x)
    torch.testing.assert_close(scaled.std(0)[1] / scaled.std(0)[0], x.std(0)[1] / x.std(0)[0])


def test_the_variance_of_data_far_from_zero_is_kept():
    x = 1e6 + torch.randn(1000, 1, dtype=torch.float64)
    assert float(Scaling.fit("standard", x).spread) == pytest.approx(float(x.std(correction=0)), rel=1e-5)


@pytest.mark.parametrize("how", ["standard", "global"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.1])
def test_a_constant_element_is_centred_and_not_stretched(how, value):
    # In float64 the mean of three times 0.1 is not 0.1: the spread comes out as some 1e-17 of it.
    x = torch.full((3, 2), value, dtype=torch.float64)
    scaling = Scaling.fit(how, x)
    assert torch.equal(scaling(x), torch.zeros(3, 2))
    assert scaling.spread.unique().tolist() == [1.0]


@pytest.mark.parametrize("how", ["unit", "global", "standard", "range"])
@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint32])
def test_the_last_digits_of_large_numbers_are_kept_both_ways(how, dtype):
    # Seconds since 1970 of five minutes, which 32-bit floats keep in steps of 128.
    t = (1_700_000_000 + np.random.default_rng(0).integers(0, 300, (400, 2))).astype(dtype)
    scaling = Scaling.fit(how, torch.from_numpy(t))
    scaled = scaling(torch.from_numpy(t))
    assert scaled.dtype == torch.float32
    small = t.astype(np.float64) - 1_700_000_000
    if how == "unit":
        expected = (small - small.min()) / (small.max() - small.min())
    else:
        wide = {"global": np.sqrt(small.var(0).mean()), "standard": small.std(0), "range": np.ptp(small, 0)}[how]
        expected = (small - small.mean(0)) / wide
        expected /= np.sqrt((expected.var(0)).mean())
    np.testing.assert_allclose(scaled, expected, atol=1e-5)
    back = scaling.inverse(scaled)
    assert back.dtype == torch.float64
    np.testing.assert_allclose(back, t.astype(np.float64), rtol=0, atol=1e-3)
    assert Scaling.fit(how, torch.from_numpy(t).float()).inverse(scaled).dtype == torch.float32


def test_a_scaling_of_doubles_is_kept_with_its_digits():
    x = 1e9 + torch.randn(50, 3, dtype=torch.float64)
    scaling = Scaling.fit("standard", x)
    twin = Scaling("standard", (3,), fine=True)
    twin.load_state_dict(scaling.state_dict())
    assert torch.equal(twin.inverse(twin(x)), scaling.inverse(scaling(x)))
    assert (twin.inverse(twin(x)) - x).abs().max() < 1e-5
    assert twin.double()(x).dtype == torch.float64


def test_what_32_bits_cannot_hold_apart_is_refused():
    with pytest.raises(ConfigError, match=r"^Scaling: 32-bit floats must hold how far values lie apart\."):
        Scaling.fit("standard", 1e-60 * torch.randn(9, 2, dtype=torch.float64))


def test_columns_that_would_hardly_vary_in_32_bits_are_told():
    t = 1_700_000_000 + torch.arange(300.0, dtype=torch.float64)
    assert module.flattened(torch.stack([t, t - t[0]], 1))
    assert not module.flattened(torch.stack([t - t[0], 1e9 * torch.ones(300)], 1))
    assert not module.flattened(t.float())


def test_bytes_run_from_0_to_255_whatever_came():
    x = torch.tensor([[3, 200]], dtype=torch.uint8)
    scaling = Scaling.fit("unit", x, low=0, high=255)
    torch.testing.assert_close(scaling(x), x / 255)
    torch.testing.assert_close(scaling.inverse(torch.tensor([[0.0, 1.0]])), torch.tensor([[0.0, 255.0]]))


@pytest.mark.parametrize("how", EVERY)
def test_whole_numbers_are_read(how):
    x = torch.tensor([[0, 7], [2, 9], [1, 3]], dtype=torch.uint8)
    scaling = Scaling.fit(how, x)
    torch.testing.assert_close(scaling.inverse(scaling(x)), x.float())


def test_statistics_are_kept_with_the_weights():
    scaling = Scaling.fit("standard", with_gaps())
    twin = Scaling("standard", (4,))
    twin.load_state_dict(scaling.state_dict())
    x = with_gaps()
    assert torch.equal(twin(x), scaling(x))


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: Scaling("zscore"), "Scaling: how must be one of none, unit, global, standard, range, got zscore"),
        (lambda: Scaling.fit("unit", torch.full((3, 2), 5.0)), "data of one value has no unit range, got 5.0"),
        (lambda: Scaling.fit("unit", torch.full((3, 2), math.nan)), "data without one known value has no range"),
    ],
)
def test_what_has_no_scale_is_refused(fit, message):
    with pytest.raises(ConfigError, match=message):
        fit()
