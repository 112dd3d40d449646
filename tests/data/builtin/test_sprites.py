import numpy as np
import pytest

import xhat.data
from xhat.data.builtin.sprites import FACTORS, REACH, SHAPES, SIDE, draw, sprites


def centre(images):
    """Find the centre of ink, (n, 2), x before y, in pixels."""
    weight = images / images.sum((1, 2), keepdims=True)
    at = np.arange(SIDE) + 0.5
    return np.stack([(weight.sum(1) * at).sum(1), (weight.sum(2) * at).sum(1)], 1)


def test_the_built_in_set():
    data = xhat.data.open("sprites")
    assert (len(data), data.schema.kind, data.schema.shape, data.schema.dtype) == (4096, "image", (1, 32, 32), "uint8")
    assert data.schema.labels == SHAPES
    np.testing.assert_array_equal(data.y, sprites().factors[:, 0])


def test_the_seed_decides():
    first, again, other = sprites(30, seed=1), sprites(30, seed=1), sprites(30, seed=2)
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.factors, again.factors)
    assert not np.array_equal(first.factors, other.factors)


def test_images_are_drawn_from_their_factors():
    made = sprites(50, seed=3)
    assert made.factors.shape == (50, 5)
    np.testing.assert_array_equal(draw(made.factors), made.images)
    np.testing.assert_array_equal(draw(made.factors[::-1]), made.images[::-1])


def test_every_value_of_every_factor_occurs():
    factors = sprites().factors
    for column, count in zip(factors.T, FACTORS.values(), strict=True):
        assert set(column) == set(range(count))


@pytest.mark.parametrize("axis", [0, 1], ids=["x", "y"])
def test_x_and_y_move_the_centre_evenly_from_margin_to_margin(axis):
    walk = np.array([[2, 3, 7, 5, 5]] * 32)
    walk[:, 3 + axis] = np.arange(32)
    at = centre(draw(walk))
    np.testing.assert_allclose(at[:, axis], np.linspace(REACH, SIDE - REACH, 32), atol=0.05)
    np.testing.assert_allclose(at[:, 1 - axis], at[0, 1 - axis], atol=0.05)


def test_scale_doubles_the_side():
    small, large = draw(np.array([[2, 0, 0, 16, 16], [2, 5, 0, 16, 16]])).sum((1, 2)) / 255
    assert large == pytest.approx(2 * REACH**2, rel=0.05)  # the square in a circle of radius REACH
    assert large / small == pytest.approx(4, rel=0.1)


def test_orientation_turns_once_round():
    # In the corner, where the centre falls between two pixels, half a turn is a flip of both axes.
    hearts = draw(np.array([[1, 5, step, 0, 0] for step in range(40)]))[:, :16, :16].astype(float)
    assert len(np.unique(hearts, axis=0)) == 40
    np.testing.assert_allclose(hearts[20], hearts[0, ::-1, ::-1], atol=32)


def test_shapes_stay_in_the_frame_even_in_its_corners():
    corners = [[s, 5, o, x, y] for s in range(3) for o in range(40) for x in (0, 31) for y in (0, 31)]
    middle = [[s, 5, o, 16, 16] for s, _, o, _, _ in corners]
    cut, whole = (draw(np.array(factors)).sum((1, 2)) / 255 for factors in (corners, middle))
    np.testing.assert_allclose(cut, whole, rtol=0.02)


def test_shapes_look_like_themselves():
    ellipse, heart, square = draw(np.array([[s, 5, 0, 16, 16] for s in range(3)]))
    assert ellipse.any(0).sum() > 1.5 * ellipse.any(1).sum()  # wider than high
    assert np.array_equal(square, square.T)
    assert heart[: SIDE // 2].sum() > heart[SIDE // 2 :].sum()  # its point is below
    top = heart[heart.any(1).argmax()]
    assert top[15:17].max() < top.max()  # the notch between its lobes
