import numpy as np
import pytest
from PIL import Image

import xhat.data
from xhat.core.errors import ConfigError, DataError
from xhat.data.readers.tiles import detail

RNG = np.random.default_rng(0)


def noise(height, width, *channels):
    return RNG.integers(0, 256, (height, width, *channels), dtype=np.uint8)


def save(folder, **images):
    folder.mkdir(exist_ok=True)
    for name, image in images.items():
        Image.fromarray(image).save(folder / f"{name}.png")
    return folder


def test_pictures_of_any_sizes_are_cut_at_full_half_and_quarter_size(tmp_path):
    a, b = noise(16, 24, 3), noise(9, 8, 3)
    data = xhat.data.open(save(tmp_path / "photos", a=a, b=b), tiles=8)
    # a: 2·3 at full size; 8x12 with step 4: 1·2 at half size; 4x6 is too small. b: 1.
    assert (len(data), data.schema.shape, data.schema.kind) == (9, (3, 8, 8), "image")
    rows = data.schema.to_source(data.x.numpy())
    np.testing.assert_array_equal(rows[:6].reshape(2, 3, 8, 8, 3).swapaxes(1, 2).reshape(16, 24, 3), a)
    half = a.reshape(8, 2, 12, 2, 3).mean((1, 3))
    assert np.abs(rows[6] - half[:, :8]).max() <= 0.5 + 1e-6
    assert np.abs(rows[7] - half[:, 4:]).max() <= 0.5 + 1e-6
    np.testing.assert_array_equal(rows[8], b[:8])


def test_flat_tiles_are_left_out(tmp_path):
    image = noise(16, 32, 3)
    image[:, :16] = 100
    image[0, 0] = 110
    data = xhat.data.open(save(tmp_path / "photos", a=image), tiles=16, to_learn=False)
    np.testing.assert_array_equal(data.schema.to_source(data.x.numpy()), image[None, :, 16:])
    assert detail(np.tile([[0, 4], [4, 0]], (4, 4))) == 4.0


def test_mixed_modes_become_colour_or_gray(tmp_path):
    folder = save(tmp_path / "photos", a=noise(8, 8), b=noise(8, 8, 3))
    assert xhat.data.open(folder, tiles=8).schema.shape == (3, 8, 8)
    assert xhat.data.open(folder, tiles=8, mode="L").schema.shape == (1, 8, 8)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"tiles": 1}, ConfigError, r"a side of at least 2 pixels, got 1\. Use tiles=64 \(--tiles 64\)"),
        ({"tiles": 9}, DataError, r"photos: no picture holds a tile of 9 pixels with details\. Use smaller tiles"),
        ({"tiles": 4, "size": (4, 4)}, ConfigError, r"photos: has no use for size=\(4, 4\)"),
        ({"tiles": 4, "mode": "CMYK"}, ConfigError, r"mode must be 'L' or 'RGB', got CMYK"),
    ],
)
def test_what_cannot_be_cut_is_refused_in_a_line(tmp_path, options, error, says):
    with pytest.raises(error, match=says):
        xhat.data.open(save(tmp_path / "photos", a=noise(8, 8)), **options)


def test_tiles_are_for_folders():
    with pytest.raises(ConfigError, match=r"array: has no use for tiles=8\. Leave it out: it is for folders of images"):
        xhat.data.open(noise(4, 8, 8), tiles=8)
