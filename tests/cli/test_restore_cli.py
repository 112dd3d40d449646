"""``xhat restore``, with a small net as the prior."""

import io
import os
import re

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from xhat.cli._bar import Bar
from xhat.core import files
from xhat.parts.nets.unet import UNet
from xhat.restore import prior as priors
from xhat.restore.prior import Prior

RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def prior(monkeypatch):
    net = UNet(3, widths=(4,), blocks=1)
    torch.nn.init.zeros_(net.last.weight)
    monkeypatch.setattr(Prior, "load", classmethod(lambda cls, run="default": cls(net)))


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "in.png"
    Image.fromarray(RANDOM.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    return path


def deep(path):
    """16-bit colours, read back by others than Pillow."""
    codecs = pytest.importorskip("imagecodecs", reason="the extra 'deep' is not installed")
    return codecs.png_decode(path.read_bytes())


def save(path, array):
    Image.fromarray(array).save(path)
    return path


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_noise_is_removed_from_a_file_into_another(xhat_, picture):
    before = picture.read_bytes()
    result = xhat_("restore --sigma 12.5 -o out.png", picture)
    assert result.status == 0
    assert re.fullmatch(r"denoise: 30x20, noise 12.5 as told, \d+\.\d s: out\.png\n", result.out)
    with Image.open("out.png") as out:
        assert out.size == (30, 20)
    assert picture.read_bytes() == before


def test_every_task(xhat_, picture, tmp_path):
    kernel = save(tmp_path / "k.png", np.full((3, 3), 200, np.uint8))
    mask = save(tmp_path / "m.png", np.uint8(255 * (RANDOM.random((20, 30)) < 0.3)))
    mosaic = save(tmp_path / "mosaic.png", RANDOM.integers(0, 65536, (20, 30), dtype=np.uint16))
    for words, size, mode in (
        ([picture, "--task", "deblur", "--kernel", kernel], (30, 20), "RGB"),
        ([picture, "--task", "super-resolve", "--scale", 3, "--sigma", 0], (90, 60), "RGB"),
        ([picture, "--task", "inpaint", "--mask", mask, "--solver", "hqs"], (30, 20), "RGB"),
        ([picture, "--task", "denoise", "--sigma", "12.5"], (30, 20), "RGB"),
        ([mosaic, "--task", "demosaic", "--pattern", "GRBG"], (30, 20), "RGB"),
    ):
        result = xhat_(["restore"], *words, "--out", "out.png")
        assert result.status == 0, result.err
        with Image.open("out.png") as out:
            assert (out.size, out.mode) == (size, mode)
    assert deep(tmp_path / "out.png").dtype == np.uint16  # of a mosaic of 16 bits


def test_noise_is_said_to_be_told_estimated_free_or_found(xhat_, picture):
    for words, says in (
        ("--sigma auto", r"noise \d+\.\d estimated"),
        ("--sigma 3", "noise 3 as told"),
        ("--task super-resolve", "30x20 to 60x40, noise 0, as is taken where none is told"),
        ("--solver dmsp", "noise found on the way"),
    ):
        assert re.search(says, xhat_(f"restore in.png -o out.png {words}").out)


def test_where_no_noise_is_found_it_is_said_why_and_what_to_do(xhat_, tmp_path):
    save(tmp_path / "flat.png", np.full((40, 40), 90, np.uint8))
    save(tmp_path / "small.png", np.full((1, 9), 90, np.uint8))
    assert "noise 0 since none was found, --sigma tells it, " in xhat_("restore flat.png -o out.png").out
    assert "noise 0 since the picture is too small to estimate it, --" in xhat_("restore small.png -o out.png").out
    save(tmp_path / "small.png", np.full((3, 9), 90, np.uint8))
    assert "too small" in xhat_("restore small.png -o out.png --task demosaic").out


def test_16_bits_go_in_and_out(xhat_, tmp_path):
    gray = RANDOM.integers(0, 65536, (20, 30), dtype=np.uint16)
    xhat_("restore -o gray.png --sigma 0", save(tmp_path / "in16.png", gray))
    np.testing.assert_array_equal(pixels("gray.png"), gray)
    colours = RANDOM.integers(0, 65536, (20, 30, 4), dtype=np.uint16)
    codecs = pytest.importorskip("imagecodecs", reason="the extra 'deep' is not installed")
    (tmp_path / "colours.png").write_bytes(codecs.png_encode(colours))
    assert xhat_("restore colours.png -o out.png --sigma 0").status == 0
    np.testing.assert_array_equal(deep(tmp_path / "out.png"), colours)


@pytest.mark.parametrize(
    ("task", "size"),
    [*(("denoise", size) for size in ((1, 1), (1, 10_000), (10_000, 1), (17, 31))), ("super-resolve", (1, 1))],
)
def test_any_size(xhat_, tmp_path, size, task):
    path = save(tmp_path / "in.png", RANDOM.integers(0, 256, size, dtype=np.uint8))
    result = xhat_(f"restore --solver hqs --task {task} -o out.png", path)
    assert result.status == 0, result.err
    times = 2 if task == "super-resolve" else 1
    assert pixels("out.png").shape == (times * size[0], times * size[1])


def test_what_is_converted_is_said(xhat_, tmp_path):
    Image.fromarray(RANDOM.integers(0, 256, (20, 30, 3), dtype=np.uint8)).convert("CMYK").save(tmp_path / "in.tif")
    assert xhat_("restore in.tif -o out.png").out.startswith("in.tif: converted from CMYK to RGB\ndenoise: 30x20")


def test_doubt_and_the_page_are_written_beside_it(xhat_, picture):
    result = xhat_("restore in.png -o out.png --uncertainty u.png --page page.html")
    assert result.status == 0, result.err
    first, second, third = result.out.splitlines()
    assert re.fullmatch(r"uncertainty: white = \d+ levels, made to hold 95 % of the errors \(.*\): u\.png", second)
    assert third == "page: page.html"
    assert pixels("u.png").shape == (20, 30)
    with open("page.html", encoding="utf-8") as page:
        text = page.read()
    assert "in.png" in text
    assert first.split("noise ")[1].split(",")[0] in text
    assert "the prior, asked once, from each of eight sides" in text


def test_a_file_that_is_there_is_replaced_and_kept_where_it_fails(xhat_, picture, tmp_path, monkeypatch):
    out = tmp_path / "out.png"
    out.write_bytes(b"mine")
    monkeypatch.setattr(Prior, "forward", lambda *_: (_ for _ in ()).throw(RuntimeError("the net broke")))
    with pytest.raises(RuntimeError):
        xhat_("restore in.png -o out.png --uncertainty u.png --page page.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "out.png"]
    assert out.read_bytes() == b"mine"
    monkeypatch.undo()


def test_a_full_disk_leaves_no_half_a_file(xhat_, picture, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    refused = xhat_("restore in.png --sigma 1 -o out.png")
    assert refused.status == 2
    assert (
        refused.err
        == "xhat: out.png: cannot be written (No space left on device). Free the disk or choose another path.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_of_several_files_none_is_left_where_the_last_cannot_be_written(xhat_, picture, tmp_path, monkeypatch):
    (tmp_path / "out.png").write_bytes(b"mine")
    real, written = os.fsync, []

    def full(handle):
        written.append(handle)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(files.os, "fsync", full)
    refused = xhat_("restore in.png --sigma 1 -o out.png --uncertainty u.png --page page.html")
    assert refused.error.startswith("page.html: cannot be written (No space left on device).")
    assert refused.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"mine"


def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(xhat_, picture):
    name = os.fsdecode(b"caf\xe9.png")
    try:
        picture.rename(picture.with_name(name))
    except OSError:
        pytest.skip("this file system has no such names")
    result = xhat_(["restore"], name, *["--sigma", "1", "-o"], os.fsdecode(b"\xe9.png"), *["--page", "p.html"])
    assert result.status == 0, result.err
    assert result.out.endswith("\ufffd.png\npage: p.html\n")
    with open("p.html", encoding="utf-8") as page:
        assert "<h1>caf?.png</h1>" in page.read()


def test_where_memory_is_short_it_goes_on_in_smaller_tiles(xhat_, tmp_path, monkeypatch):
    save(tmp_path / "in.png", RANDOM.integers(0, 256, (200, 150, 3), dtype=np.uint8))
    xhat_("restore in.png --sigma 10 -o whole.png")
    asked, real = [], UNet.forward

    def short(self, x, sigma):
        asked.append(x.shape[-2:].numel())
        if asked[-1] > 20_000:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        return real(self, x, sigma)

    monkeypatch.setattr(UNet, "forward", short)
    monkeypatch.setattr(priors, "MARGIN", 24)
    assert xhat_("restore in.png --sigma 10 -o out.png").status == 0
    assert max(asked) > 20_000 > min(asked)
    np.testing.assert_array_equal(pixels("out.png"), pixels("whole.png"))


def test_the_bar_knows_its_total_and_counts_tiles_as_parts_of_a_step():
    written = io.StringIO()
    with Bar(16, Console(file=written, force_terminal=True, width=120)) as bar:
        bar.on_tile(1, 4)
        assert bar.completed == 0.25
        bar.on_iteration(1, None)
        bar.on_tile(2, 4)
        assert bar.completed == 1.5
        for number in range(2, 17):
            bar.on_iteration(number, None)
        assert bar.completed == bar.steps == 16
    text = re.sub(r"\x1b\[[\d;?]*\w", "", written.getvalue())
    assert "step 16 of 16" in text
    assert "left" in text
    silent = io.StringIO()
    with Bar(1, Console(file=silent)) as bar:
        bar.on_iteration(1, None)
    assert silent.getvalue() == ""


def test_what_was_not_masked_stays(xhat_, picture, tmp_path):
    hidden = np.zeros((20, 30), np.uint8)
    hidden[5:9, 7:12] = 255
    xhat_("restore --task inpaint -o out.png --mask", save(tmp_path / "m.png", hidden), picture)
    was, out = pixels(picture), pixels("out.png")
    assert np.abs(was.astype(int) - out)[hidden == 0].max() <= 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("restore none.png -o out.png", "restore: there is no picture 'none.png'."),
        ("restore cut.png -o out.png", "cut.png: cannot be read as a picture, got"),
        ("restore in.png -o in.png", "in.png: is the picture itself, which is only read. Give another --out."),
        ("restore in.png -o nowhere/out.png", "nowhere: cannot be written to. Give a folder that is there and may be"),
        ("restore in.png -o folder.png", "folder.png: is a folder. Give a file."),
        ("restore in.png -o out", "out: cannot write files that end so, got ''. Use one of .png,"),
        (
            "restore in.png -o out.png --page page.png",
            "page.png: cannot write files that end so, got '.png'. Use .html.",
        ),
        (
            "restore in.png -o out.png --uncertainty out.png",
            "--out: must not be the file of --uncertainty, got out.png.",
        ),
        ("restore in.png -o out.png --uncertainty in.png", "in.png: is the picture itself, which is only read."),
        ("restore in.png -o out.jpg --task denoise --sigma nan", "--sigma: must be >= 0, got nan. Auto estimates it."),
        ("restore alpha.png -o out.jpg", "'.jpg': cannot hold this picture (cannot write mode RGBA as JPEG)."),
        ("restore . -o out.png", "restore: there is no picture '.'."),
        ("restore text.png -o out.png", "text.png: cannot be read as a picture, got"),
        ("restore in.png -o out.xyz", "out.xyz: cannot write files that end so, got '.xyz'. Use one of .png,"),
        ("restore in.png -o out.gif", "out.gif: cannot write files that end so, got '.gif'. Use one of .png,"),
        ("restore in.png -o out.png --uncertainty u.pdf", "u.pdf: cannot write files that end so, got '.pdf'."),
        ("restore long.png -o out.webp", "'.webp': holds pictures of at most 16383 pixels a side, got 16384x1."),
        ("restore long.png -o out.png --uncertainty u.webp", "'.webp': holds pictures of at most 16383 pixels a side"),
        (
            "restore long.png -o out.jpg --task super-resolve --scale 4",
            "'.jpg': holds pictures of at most 65500 pixels a side, got 65536x4. Write a .png,",
        ),
        ("restore in.png -o out.png --sigma -1", "--sigma: must be >= 0, got -1.0. Auto estimates it."),
        (
            "restore in.png -o out.png --sigma much",
            "--sigma: must be auto or a number, got 'much'. As 25, of 0 to 255.",
        ),
        ("restore in.png -o out.png --task deblur", "--task deblur: needs --kernel. Give a picture of the kernel."),
        ("restore in.png -o out.png --scale 2", "--task denoise: has no use for --scale. It is for super-resolve."),
        (
            "restore in.png -o out.png --task super-resolve --scale 0",
            "--scale: must be >= 1, got 0. 2 doubles both sides.",
        ),
        (
            "restore in.png -o out.png --task deblur --kernel none.png",
            "--kernel: there is no file 'none.png'.",
        ),
        (
            "restore in.png -o out.png --task deblur --kernel black.png",
            "--kernel: must not be all black. White is where light went.",
        ),
        (
            "restore in.png -o out.png --task deblur --kernel text.npy",
            "--kernel: cannot be read as an array, got",
        ),
        (
            "restore in.png -o out.png --task deblur --kernel cut.png",
            "cut.png: cannot be read as a picture, got",
        ),
        (
            "restore in.png -o out.png --task deblur --kernel large.png",
            "--kernel: must not be larger than the picture, 30x20, got 31x5. Crop it to the blur.",
        ),
        (
            "restore in.png -o out.png --task inpaint --mask large.png",
            "--mask: must be of the picture's size, 30x20, got 31x5. Resize it.",
        ),
        (
            "restore in.png -o out.png --task inpaint --mask white.png",
            "--mask: must not be all white. White is what shall be filled.",
        ),
        (
            "restore in.png -o out.png --task demosaic",
            "--task demosaic: reads a gray picture, the sensor's mosaic, got",
        ),
        ("restore in.png -o out.png --solver hqss", "solvers: there is no 'hqss'. Did you mean 'hqs'?"),
        ("restore in.png -o out.png --solver bogus", "solvers: there is no 'bogus'. Use one of: daep, diffpir, dmsp,"),
    ],
)
def test_bad_input_gets_a_line_and_leaves_no_file(xhat_, picture, tmp_path, words, says):
    (tmp_path / "cut.png").write_bytes(picture.read_bytes()[:200])
    save(tmp_path / "large.png", np.full((5, 31), 100, np.uint8))
    save(tmp_path / "white.png", np.full((20, 30), 255, np.uint8))
    save(tmp_path / "black.png", np.zeros((3, 3), np.uint8))
    save(tmp_path / "alpha.png", np.zeros((3, 3, 4), np.uint8))
    save(tmp_path / "long.png", np.zeros((1, 16_384), np.uint8))
    (tmp_path / "folder.png").mkdir()
    for name in ("text.png", "text.npy"):
        (tmp_path / name).write_text("no picture")
    files = sorted(path.name for path in tmp_path.iterdir())
    before = picture.read_bytes()
    assert xhat_(words).error.startswith(says)
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    assert picture.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_told_before_the_work(xhat_, picture, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    assert xhat_("restore in.png -o closed/out.png").error.startswith("closed: cannot be written to.")
