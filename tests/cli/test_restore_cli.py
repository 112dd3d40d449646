"""``xhat restore``, with a small net as the prior."""

import numpy as np
import pytest
import torch
from PIL import Image

from xhat.parts.nets.unet import UNet
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


def save(path, array):
    Image.fromarray(array).save(path)
    return path


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_noise_is_removed_from_a_file_into_another(xhat_, picture):
    before = picture.read_bytes()
    result = xhat_("restore -o out.png", picture)
    assert (result.status, result.out) == (0, "denoise: 30x20 to 30x20: out.png\n")
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
        ("restore in.png -o nowhere/out.png", "nowhere: cannot be written to. Give a folder that is there."),
        ("restore in.png -o out.xyz", "out.xyz: cannot write files that end so, got '.xyz'. Use .png."),
        ("restore in.png -o out.png --sigma -1", "--sigma: must be >= 0, got -1.0. Auto estimates it."),
        (
            "restore in.png -o out.png --sigma much",
            "--sigma: must be auto or a number, got 'much'. As 25, of 0 to 255.",
        ),
        ("restore in.png -o out.png --task deblur", "--task deblur: needs --kernel. Give a picture of the kernel."),
        ("restore in.png -o out.png --scale 2", "--task denoise: has no use for --scale. It is for super-resolve."),
        (
            "restore in.png -o out.png --task super-resolve --scale 0",
            "operators/downsample: scale must be a whole number >= 1, got 0.",
        ),
        (
            "restore in.png -o out.png --task deblur --kernel large.png",
            "--kernel: must not be larger than the picture, 30x20, got 31x5. Crop it to the blur.",
        ),
        (
            "restore in.png -o out.png --task inpaint --mask large.png",
            "operators/inpaint: the mask is of (5, 31), and so must images be, got (20, 30).",
        ),
        (
            "restore in.png -o out.png --task demosaic",
            "--task demosaic: reads a gray picture, the sensor's mosaic, got",
        ),
        ("restore in.png -o out.png --solver hqss", "restore: there is no solver 'hqss'. Did you mean 'hqs'?"),
    ],
)
def test_bad_input_gets_a_line_and_leaves_no_file(xhat_, picture, tmp_path, words, says):
    (tmp_path / "cut.png").write_bytes(picture.read_bytes()[:200])
    save(tmp_path / "large.png", np.full((5, 31), 100, np.uint8))
    files = sorted(path.name for path in tmp_path.iterdir())
    before = picture.read_bytes()
    assert xhat_(words).error.startswith(says)
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    assert picture.read_bytes() == before
