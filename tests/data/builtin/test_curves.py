import numpy as np
import pytest

import xhat.data
from xhat.data.builtin.curves import MARGIN, SIDE, curves, draw, points


def test_the_built_in_set():
    data = xhat.data.open("curves")
    assert (len(data), data.schema.kind, data.schema.shape, data.schema.dtype) == (
        20_000,
        "image",
        (1, 28, 28),
        "uint8",
    )
    assert (data.schema.low, data.schema.high) == (0, 255)
    assert data.y is None


def test_the_seed_decides_and_numpy_s_own_state_does_not():
    first = curves(20, seed=5)
    np.random.seed(0)  # noqa: NPY002
    np.testing.assert_array_equal(curves(20, seed=5), first)
    assert not np.array_equal(curves(20, seed=6), first)


def test_a_longer_set_begins_like_a_shorter_one():
    np.testing.assert_array_equal(curves(700, seed=1)[:20], curves(20, seed=1))


def test_curves_meet_their_points():
    p = points(300, seed=2)
    assert p.min() >= MARGIN
    assert p.max() <= SIDE - MARGIN
    images = draw(p)
    x, y = np.floor(p).astype(int).transpose(2, 0, 1)  # (300, 3) each
    ink = images[np.arange(300)[:, None], y, x]
    # The middle point lies on the line, the outer ones at its ends, where it fades to the half.
    assert ink[:, 1].min() > 100
    assert ink[:, [0, 2]].min() > 40
    assert ink[:, [0, 2]].mean() > 90


def test_ink_is_even_along_the_line_and_stays_in_the_frame():
    straight = draw(np.array([[[5, 14.5], [11, 14.5], [23, 14.5]]], np.float32))[0]
    # Beside the line's core, which is saturated; the parabola's speed changes fivefold on the way.
    assert straight[13, 8:20].min() > 80
    assert np.ptp(straight[13, 8:20].astype(int)) <= 2
    assert straight[14, 14] == 255
    assert straight[:12].max() == 0
    # The farthest overshoot: the middle point and one end on the margin.
    corner = draw(np.array([[[4, 4], [24, 24], [24, 24]]], np.float32))[0]
    assert corner[26].max() == 255
    assert 0 < corner[27].max() < 80


def test_exchanging_the_ends_changes_nothing():
    p = points(10, seed=3)
    assert np.abs(draw(p).astype(int) - draw(p[:, ::-1]).astype(int)).max() <= 1


@pytest.mark.parametrize("n", [0, 1])
def test_few_curves(n):
    assert curves(n).shape == (n, 28, 28)
