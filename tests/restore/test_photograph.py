"""Picture files as people have them: depth, alpha, profile and orientation come through, broken ones do not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from xhat.core.errors import ArtifactError, DataError, MissingFileError
from xhat.restore import _deep
from xhat.restore.photograph import Photograph

RANDOM = np.random.default_rng(0)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def bytes_(*shape):
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


def deep(*shape):
    return RANDOM.integers(0, 65536, shape, dtype=np.uint16)


def there_and_back(pixels, suffix, tmp_path, **more):
    content, notes = Photograph(pixels, **more).encoded(pixels, suffix)
    (tmp_path / f"out{suffix}").write_bytes(content)
    return Photograph.open(tmp_path / f"out{suffix}"), notes


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 2), (5, 7, 3), (5, 7, 4)])
def test_bytes_and_alpha_come_back_from_a_file(shape, suffix, tmp_path):
    pixels = bytes_(*shape)
    back, notes = there_and_back(pixels, suffix, tmp_path)
    assert (back.notes, notes) == ((), ())
    np.testing.assert_array_equal(back.pixels, pixels)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
def test_16_bit_gray_comes_back_whole(suffix, tmp_path):
    pixels = deep(5, 7)
    np.testing.assert_array_equal(there_and_back(pixels, suffix, tmp_path)[0].pixels, pixels)


@pytest.mark.parametrize(("shape", "suffix"), [((5, 7, 3), ".png"), ((5, 7, 4), ".png"), ((5, 7, 2), ".png"),
                                               ((5, 7, 3), ".tif"), ((5, 7, 4), ".tif")])  # fmt: skip
def test_so_do_16_bit_colours(shape, suffix, tmp_path):
    pytest.importorskip("imagecodecs", reason="the extra 'deep' is not installed")
    pixels = deep(*shape)
    back, notes = there_and_back(pixels, suffix, tmp_path, profile=PROFILE)
    assert (back.notes, notes) == ((), ())
    np.testing.assert_array_equal(back.pixels, pixels)
    assert back.profile == (PROFILE if shape[-1] > 2 else None)
    if shape[-1] > 2:  # Pillow reads them as others do
        with Image.open(tmp_path / f"out{suffix}") as image:
            assert np.abs(np.asarray(image) - pixels / 257.0).max() <= 1


def test_without_the_extra_16_bit_colours_are_read_and_written_as_8_and_it_is_said(tmp_path, monkeypatch):
    pytest.importorskip("imagecodecs", reason="the extra 'deep' is not installed")
    pixels = deep(5, 7, 3)
    there_and_back(pixels, ".png", tmp_path)
    monkeypatch.setattr(_deep, "codecs", lambda: None)
    back = Photograph.open(tmp_path / "out.png")
    assert back.notes == ("16-bit colours are read as 8 bits: pip install 'xhat[deep]' keeps them whole",)
    assert back.pixels.dtype == np.uint8
    assert np.abs(back.pixels - pixels / 257.0).max() <= 1
    content, notes = back.encoded(pixels, ".png")
    assert notes == ("16-bit colours are written as 8 bits: pip install 'xhat[deep]' keeps them whole",)
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(np.asarray(image), np.rint(pixels / 257))


def test_files_of_8_bits_say_so():
    content, notes = Photograph(deep(5, 7)).encoded(deep(5, 7), ".jpg")
    assert notes == (".jpg holds 8 of its 16 bits",)
    assert content.startswith(b"\xff\xd8")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_laid_upright_as_pillow_does(orientation, tmp_path):
    pytest.importorskip("imagecodecs", reason="the extra 'deep' is not installed")
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    pixels = bytes_(4, 6, 3)
    Image.fromarray(pixels).save(tmp_path / "in.png", exif=exif)
    read = Photograph.open(tmp_path / "in.png")
    content = _deep.encode(257 * pixels.astype(np.uint16), "PNG", None)
    np.testing.assert_array_equal(_deep.decode(content, "PNG", orientation) / 257, read.pixels)
    assert read.pixels.shape == ((4, 6, 3) if orientation < 5 else (6, 4, 3))
    # What else it says of the taking stays, its orientation does not: it would turn the picture again.
    with Image.open(io.BytesIO(read.encoded(read.pixels, ".png")[0])) as out:
        assert dict(out.getexif()) == {0x010F: "Maker"}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_tiff_s_own_structure_is_not_told_of_another_file_nor_its_size(suffix, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769).update({0x829A: 0.02, 0xA002: 6, 0xA003: 4})
    exif.get_ifd(0x8825)[1] = "N"
    taken = Image.Exif()
    taken.load(exif.tobytes())  # Pillow writes into a TIFF what was read, not what was set
    image = Image.fromarray(bytes_(4, 6, 3))
    image.save(tmp_path / "in.tif", exif=taken, icc_profile=PROFILE)
    read = Photograph.open(tmp_path / "in.tif")
    with Image.open(io.BytesIO(read.encoded(bytes_(8, 12, 3), suffix)[0])) as out:
        told = out.getexif()
        assert set(told) == {0x010F, 0x8769, 0x8825}
        taken = told.get_ifd(0x8769)
        assert (float(taken[0x829A]), taken[0xA002], taken[0xA003]) == (0.02, 12, 8)
        assert told.get_ifd(0x8825) == {1: "N"}


def test_a_jpeg_s_size_is_told_anew(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0xA002: 6, 0xA003: 4})
    Image.fromarray(bytes_(4, 6, 3)).save(tmp_path / "in.jpg", exif=exif)
    read = Photograph.open(tmp_path / "in.jpg")
    with Image.open(io.BytesIO(read.encoded(bytes_(8, 12, 3), ".jpg")[0])) as out:
        assert out.getexif().get_ifd(0x8769) == {0xA002: 12, 0xA003: 8}


def test_the_profile_of_the_colours_is_kept_but_not_that_of_inks(tmp_path):
    Image.fromarray(bytes_(4, 6, 3)).save(tmp_path / "in.png", icc_profile=PROFILE)
    read = Photograph.open(tmp_path / "in.png")
    for suffix in (".png", ".jpg", ".tif", ".webp"):
        with Image.open(io.BytesIO(read.encoded(read.pixels, suffix)[0])) as out:
            assert out.info["icc_profile"] == PROFILE
    Image.fromarray(bytes_(4, 6, 3)).convert("CMYK").save(tmp_path / "inks.tif", icc_profile=PROFILE)
    inks = Photograph.open(tmp_path / "inks.tif")
    assert inks.profile is None
    assert inks.notes == ("converted from CMYK to RGB",)


def test_of_several_pictures_the_first_is_read_and_it_is_said(tmp_path):
    pages = [Image.fromarray(bytes_(4, 6)) for _ in range(3)]
    pages[0].save(tmp_path / "in.tif", save_all=True, append_images=pages[1:])
    read = Photograph.open(tmp_path / "in.tif")
    assert read.notes == ("only the first of 3 pictures is read",)
    np.testing.assert_array_equal(read.pixels, np.asarray(pages[0]))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_truncated_or_foreign_file_is_refused_in_a_line(suffix, depth, tmp_path):
    if depth == 16:
        pytest.importorskip("imagecodecs", reason="the extra 'deep' is not installed")
    pixels = bytes_(40, 40, 3) if depth == 8 else deep(40, 40, 3)
    content, _ = Photograph(pixels).encoded(pixels, suffix)
    for cut in (content[: len(content) // 2], content[:4], b"", b"no picture at all"):
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(cut)
        with pytest.raises(DataError, match=rf"^cut{suffix}: cannot be read as a picture, got ") as refused:
            Photograph.open(path)
        assert "\n" not in str(refused.value)


def test_what_is_not_there_or_cannot_be_held_is_told(tmp_path):
    with pytest.raises(MissingFileError, match="there is no picture"):
        Photograph.open(tmp_path / "none.png")
    with pytest.raises(ArtifactError, match=r"'\.jpg': cannot hold this picture .*RGBA.*Write a \.png"):
        Photograph(bytes_(2, 2, 4)).encoded(bytes_(2, 2, 4), ".jpg")
    for suffix, size in ((".webp", (1, 16_384)), (".jpg", (65_501, 1))):
        with pytest.raises(ArtifactError, match=rf"'\{suffix}': holds pictures of at most \d+ pixels a side, got \d+x"):
            Photograph(bytes_(*size)).encoded(bytes_(*size), suffix)
    with pytest.raises(ArtifactError, match=r"'\.pdf': is no file that pictures are written to\. Use one of \.png,"):
        Photograph(bytes_(2, 2)).encoded(bytes_(2, 2), ".pdf")
