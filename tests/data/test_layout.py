import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xhat.core.errors import ConfigError, DataError
from xhat.data.layout import Layout, guess


@pytest.mark.parametrize(
    ("shape", "dtype", "kind", "axes"),
    [
        ((5, 7), "float32", "table", ""),
        ((5, 7), "uint8", "table", ""),
        ((5, 7, 6), "uint8", "image", "hw"),
        ((5, 7, 6), "uint16", "image", "hw"),
        ((5, 7, 6), "float32", "series", ""),
        ((5, 7, 6), "int64", "series", ""),
        ((5, 7, 6, 3), "uint8", "image", "hwc"),
        ((5, 7, 6, 1), "float32", "image", "hwc"),
        ((5, 4, 7, 6), "float32", "image", "chw"),
        ((5, 7, 6, 8), "float32", "array", ""),
        ((5, 7, 6, 8, 3), "float32", "array", ""),
    ],
)
def test_guesses_from_axes_and_type(shape, dtype, kind, axes):
    assert guess(np.zeros(shape, dtype), None, "x") == Layout(kind, axes)


@pytest.mark.parametrize(
    ("shape", "kind", "axes"),
    [
        ((5, 7, 6), "image", "hw"),
        ((5, 12, 64, 64), "image", "chw"),
        ((5, 64, 64, 12), "image", "hwc"),
        ((5, 7), "series", "t"),
        ((5, 7, 3), "series", ""),
        ((5, 7), "array", ""),
        ((5, 7, 6, 3), "array", ""),
    ],
)
def test_obeys_the_kind_that_was_asked(shape, kind, axes):
    assert guess(np.zeros(shape, np.float32), kind, "x") == Layout(kind, axes)


@pytest.mark.parametrize(
    ("shape", "kind", "message"),
    [
        ((5,), None, r"an axis of rows and at least one more, got shape \(5,\)\. Reshape it"),
        ((5,), "image", "an axis of rows and at least one more"),
        ((5, 7), "image", r"images have the shape \(N, H, W\).*got shape \(5, 7\)"),
        ((5, 7, 6), "table", r"a table has the shape \(N, D\), got shape \(5, 7, 6\)"),
        ((5, 7, 6, 3), "series", r"a series has the shape \(N, T\) or \(N, T, D\)"),
    ],
)
def test_refuses_axes_that_do_not_fit(shape, kind, message):
    with pytest.raises(DataError, match=message):
        guess(np.zeros(shape, np.float32), kind, "x")


def test_refuses_an_unknown_kind():
    with pytest.raises(ConfigError, match=r"no kind 'images'. Did you mean 'image'"):
        guess(np.zeros((2, 2)), "images", "x")


@given(st.sampled_from([("", 3), ("hw", 3), ("hwc", 4), ("chw", 4), ("t", 2)]), st.data())
def test_source_undoes_canonical_without_a_copy(case, data):
    axes, ndim = case
    shape = data.draw(st.tuples(*[st.integers(1, 4)] * ndim))
    rows = np.arange(np.prod(shape)).reshape(shape)
    layout = Layout("image", axes)
    canonical = layout.canonical(rows)
    assert np.shares_memory(canonical, rows)
    np.testing.assert_array_equal(layout.source(canonical), rows)


def test_canonical_puts_channels_first_and_time_before_variables():
    assert Layout("image", "hw").canonical(np.zeros((2, 4, 5))).shape == (2, 1, 4, 5)
    assert Layout("image", "hwc").canonical(np.zeros((2, 4, 5, 3))).shape == (2, 3, 4, 5)
    assert Layout("series", "t").canonical(np.zeros((2, 9))).shape == (2, 9, 1)
