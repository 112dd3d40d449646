from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import xhat.data
from xhat.core.errors import ConfigError, DataError

RNG = np.random.default_rng(0)


def gray(height=6, width=4):
    return Image.fromarray(RNG.integers(0, 256, (height, width), dtype=np.uint8))


def colour(height=6, width=4):
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "photos"
    path.mkdir()
    return path


def test_gray_images_in_the_order_of_their_names(folder):
    images = {name: gray() for name in ("b.png", "a.PNG", "c.bmp", "d.tif")}
    for name, image in images.items():
        image.save(folder / name)
    (folder / "notes.md").write_text("no image")
    data = xhat.data.open(folder)
    assert data.schema.shape == (1, 6, 4)
    assert (data.schema.layout, data.schema.kind, data.schema.name) == ("hw", "image", "photos")
    for row, name in zip(data.x, ("a.PNG", "b.png", "c.bmp", "d.tif"), strict=True):
        np.testing.assert_array_equal(row[0], images[name])


def test_colour_images(folder):
    images = [colour(), colour()]
    for i, image in enumerate(images):
        image.save(folder / f"{i}.webp", lossless=True)
    data = xhat.data.open(folder)
    assert data.schema.shape == (3, 6, 4)
    assert data.schema.layout == "hwc"
    np.testing.assert_array_equal(data.schema.to_source(data.x.numpy()), np.stack(images))


def test_the_folder_s_name_is_known_from_within(folder, monkeypatch):
    for i in range(2):
        gray().save(folder / f"{i}.png")
    monkeypatch.chdir(folder)
    assert xhat.data.open(".").schema.name == "photos"


def test_mixed_sizes_are_refused_or_cropped_and_resized(folder):
    # The middle square is white: what is cropped away are the black ends.
    ends = np.zeros((8, 16), np.uint8)
    ends[:, 4:12] = 255
    Image.fromarray(ends).save(folder / "a.png")
    for name in ("b.png", "c.png"):
        gray(4, 4).save(folder / name)
    with pytest.raises(
        DataError, match=r"^a.png: .*most are \(4, 4\), got \(8, 16\)\. Use size=\(4, 4\) \(--size 4x4\)"
    ):
        xhat.data.open(folder)
    data = xhat.data.open(folder, size=(4, 4))
    assert data.schema.shape == (1, 4, 4)
    assert data.x[0].min() > 200  # the ends touch what the filter sees of the edges
    assert xhat.data.open(folder, size=(3, 5)).schema.shape == (1, 3, 5)


def test_mixed_modes_are_refused_or_converted(folder):
    colour().save(folder / "a.png")
    for name in ("b.png", "c.png"):
        gray().save(folder / name)
    with pytest.raises(DataError, match=r"^a.png: .*most are L, got RGB\. Use mode='L' \(--mode L\)"):
        xhat.data.open(folder)
    assert xhat.data.open(folder, mode="L").schema.shape == (1, 6, 4)
    data = xhat.data.open(folder, mode="RGB")
    assert data.schema.shape == (3, 6, 4)
    assert (data.x[1, 0] == data.x[1, 2]).all()


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK"])
def test_other_modes_are_converted_when_asked(folder, mode):
    source = colour()
    for i in range(2):
        image = source.rotate(180 * i).convert(mode)
        image.save(folder / f"{i}.tif")
    with pytest.raises(
        DataError, match=rf"^0.tif: an image must be gray \(L\) or colour \(RGB\), got mode {mode}\. Use"
    ):
        xhat.data.open(folder)
    data = xhat.data.open(folder, mode="RGB")
    np.testing.assert_array_equal(data.x[0].permute(1, 2, 0), Image.open(folder / "0.tif").convert("RGB"))


def test_palettes_with_transparency(folder):
    for i in range(2):
        image = colour().convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
        image.save(folder / f"{i}.png", transparency=bytes([0, 128] + [255] * 6))
    assert xhat.data.open(folder, mode="RGB").schema.shape == (3, 6, 4)


def test_deep_images_are_refused(folder):
    for i in range(2):
        Image.fromarray(np.full((4, 4), 3000 + i, np.uint16)).save(folder / f"{i}.png")
    with pytest.raises(DataError, match=r"^0.png: pixels must have 8 bits, got mode I;16\. Convert"):
        xhat.data.open(folder, mode="L")


def test_photographs_are_turned_upright(folder):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    wide = Image.fromarray(np.repeat(np.linspace(0, 255, 8, dtype=np.uint8)[None], 4, 0))
    wide.save(folder / "a.png", exif=exif)
    gray(8, 4).save(folder / "b.png")
    data = xhat.data.open(folder)
    assert data.schema.shape == (1, 8, 4)
    assert data.x[0, 0, :, 0].tolist() == np.asarray(wide)[0].tolist()


def test_files_of_several_images_are_refused(folder):
    gray().save(folder / "a.tif", save_all=True, append_images=[gray(), gray()])
    with pytest.raises(DataError, match=r"^a.tif: a file must hold one image, got 3\. Split"):
        xhat.data.open(folder)


def test_broken_files_are_named(folder):
    colour(40, 40).save(folder / "a.png")
    colour(40, 40).save(folder / "b.png")
    whole = (folder / "b.png").read_bytes()
    (folder / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"^b.png: the image cannot be decoded, got .*\. Delete"):
        xhat.data.open(folder)
    (folder / "b.png").write_text("no image")
    with pytest.raises(DataError, match=r"^b.png: the image cannot be decoded"):
        xhat.data.open(folder)


def test_folders_without_images_are_refused(folder):
    with pytest.raises(DataError, match=r"^photos: the folder holds no images\. Give a folder of .bmp"):
        xhat.data.open(folder)
    (folder / "cats").mkdir()
    with pytest.raises(DataError, match="Open one of its folders: cats"):
        xhat.data.open(folder)


def test_a_single_image_is_too_few(folder):
    gray().save(folder / "a.png")
    with pytest.raises(DataError, match="needs at least 2 rows, got 1"):
        xhat.data.open(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "HSV"}, "mode must be 'L' or 'RGB', got HSV"),
        ({"size": (0, 4)}, r"size must be \(H, W\), each >= 1, got \(0, 4\)"),
        ({"size": (4,)}, r"size must be \(H, W\)"),
        ({"key": "x"}, "has no use for key='x'"),
        ({"labels": "x"}, "has no use for labels='x'"),
    ],
)
def test_bad_options_are_refused(folder, options, message):
    gray().save(folder / "a.png")
    with pytest.raises(ConfigError, match=message):
        xhat.data.open(folder, **options)
