"""The page before and after holds the pictures, and nothing from elsewhere."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from xhat.report.restoration import CROP, SIDE, Shown, compose

RANDOM = np.random.default_rng(0)
FACTS = {"task": "denoise", "size": "<wide>", "noise": "25 as told"}


def pictures(page):
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


def bytes_(*shape):
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


def test_it_holds_both_pictures_and_asks_nothing_of_a_network():
    before, after = bytes_(50, 60, 3), bytes_(50, 60, 3)
    page = compose(Shown("<in>.png", before, after, FACTS))
    shown = pictures(page)
    np.testing.assert_array_equal(np.asarray(shown[0]), after)
    np.testing.assert_array_equal(np.asarray(shown[1]), before)
    assert "&lt;in&gt;.png" in page
    assert "&lt;wide&gt;" in page
    assert "<in>" not in page
    assert not re.search(r"https?:|//[a-z]", re.sub(r"base64,[^\"]+", "", page))
    assert 'type="range"' in page
    assert "Doubt" not in page


def test_doubt_has_its_picture_and_its_words():
    doubt = bytes_(50, 60)
    page = compose(Shown("in.png", bytes_(50, 60), bytes_(50, 60), FACTS, doubt, "white = 12 levels"))
    assert "white = 12 levels" in page
    assert any(np.array_equal(np.asarray(image), doubt) for image in pictures(page))


def test_crops_lie_where_there_is_most_detail_change_and_doubt():
    side = 3 * CROP
    before, doubt = np.full((side, side), 100, np.uint8), np.zeros((side, side), np.uint8)
    after = before.copy()
    after[:CROP, :CROP] = bytes_(CROP, CROP)
    before[:CROP, :CROP] = after[:CROP, :CROP]
    before[CROP : 2 * CROP, CROP : 2 * CROP] = 0
    doubt[2 * CROP :, :CROP] = 200
    page = compose(Shown("in.png", before, after, FACTS, doubt, ""))
    for why, left, top in (("most detail", 0, 0), ("most change", CROP, CROP), ("most doubt", 0, 2 * CROP)):
        assert f"{why} <span>{CROP}x{CROP} pixels at {left}, {top}" in page
    crops = [image for image in pictures(page) if image.size == (CROP, CROP)]
    assert len(crops) == 9
    np.testing.assert_array_equal(np.asarray(crops[1]), after[:CROP, :CROP])


@pytest.mark.parametrize(("before", "after"), [
    (bytes_(1, 1), bytes_(1, 1)), (bytes_(1, 3000), bytes_(1, 3000)), (bytes_(3000, 2, 4), bytes_(3000, 2, 4)),
    (bytes_(40, 30, 3), bytes_(120, 90, 3)), (bytes_(40, 30), bytes_(40, 30, 3)), (bytes_(9, 9, 2), bytes_(9, 9, 2)),
    (257 * bytes_(200, 190).astype(np.uint16), 257 * bytes_(200, 190).astype(np.uint16)),
])  # fmt: skip
def test_any_pictures_are_shown_within_a_side(before, after):
    page = compose(Shown("in.png", before, after, FACTS))
    assert all(max(image.size) <= SIDE for image in pictures(page))
    assert ("shown smaller" in page) == (max(after.shape[:2]) > SIDE)
