"""Restore, on the kinds of pictures that people have, with a prior that blurs a little."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import avg_pool2d

import xhat
from xhat.core.errors import ConfigError, DataError, ShapeError, UnknownKindError
from xhat.restore.front import restore
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.compress_sense import CompressSense
from xhat.restore.operators.custom import Custom
from xhat.restore.operators.demosaic import Demosaic
from xhat.restore.operators.downsample import Downsample
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.picture import read
from xhat.restore.plan import solver_names
from xhat.restore.solvers.hqs import HQS

RANDOM = np.random.default_rng(0)


def smooth(x, sigma):
    """A denoiser of sorts: the more noise, the more of the neighbours' mean."""
    share = sigma / (sigma + 0.05)
    return (1 - share) * x + share * avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def same(x, sigma):
    return x


PICTURES = {
    "gray": RANDOM.integers(0, 256, (9, 12), dtype=np.uint8),
    "colour": RANDOM.integers(0, 256, (9, 12, 3), dtype=np.uint8),
    "alpha": RANDOM.integers(0, 256, (9, 12, 4), dtype=np.uint8),
    "gray and alpha": RANDOM.integers(0, 256, (9, 12, 2), dtype=np.uint8),
    "16 bits": RANDOM.integers(0, 65536, (9, 12), dtype=np.uint16),
    "floats": RANDOM.random((9, 12, 3)).astype(np.float32),
    "doubles": RANDOM.random((9, 12)),
    "one pixel": RANDOM.integers(0, 256, (1, 1), dtype=np.uint8),
    "a line": RANDOM.integers(0, 256, (1, 1000), dtype=np.uint8),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_an_array_comes_back_as_it_was(kind):
    y = PICTURES[kind]
    before = y.copy()
    out = restore(y, prior=same, sigma=1.0)
    assert (out.dtype, out.shape) == (y.dtype, y.shape)
    np.testing.assert_allclose(out, y, rtol=1e-6)
    restore(y, prior=smooth, sigma=1.0)
    np.testing.assert_array_equal(y, before)


@pytest.mark.parametrize("shape", [(3, 9, 12), (2, 1, 9, 12)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_so_does_a_tensor(shape, dtype):
    y = (torch.rand(shape, dtype=torch.float64) * (255 if dtype == torch.uint8 else 1)).to(dtype)
    out = restore(y, prior=same, sigma=0.1)
    assert out.dtype == dtype
    torch.testing.assert_close(out, y)


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA", "I;16"])
def test_so_does_a_pillow_image(mode):
    of = {"L": "gray", "RGB": "colour", "LA": "gray and alpha", "RGBA": "alpha", "I;16": "16 bits"}
    image = Image.fromarray(PICTURES[of[mode]])
    out = restore(image, prior=same, sigma=1.0)
    assert (image.mode, out.mode, out.size) == (mode, mode, image.size)
    np.testing.assert_array_equal(np.asarray(out), np.asarray(image))


@pytest.mark.parametrize(
    ("mode", "to"),
    [("CMYK", "RGB"), ("P", "RGB"), ("1", "L"), ("YCbCr", "RGB"), ("PA", "RGBA"), ("RGBX", "RGB"), ("La", "LA")],
    ids=lambda word: word,
)
def test_other_modes_are_converted_and_it_is_said(mode, to):
    image = Image.fromarray(PICTURES["colour"]).convert("RGBA" if mode in ("PA", "La") else "RGB").convert(mode)
    assert read(image).converted == f"{mode} to {to}"
    assert restore(image, prior=same, sigma=1.0).mode == to


def test_numbers_beyond_16_bits_are_kept_where_they_fit_and_refused_where_not():
    whole = RANDOM.integers(0, 65536, (9, 12)).astype(np.int32)
    out = restore(Image.fromarray(whole), prior=same, sigma=1.0)
    assert out.mode == "I;16"
    np.testing.assert_array_equal(np.asarray(out), whole)
    shares = RANDOM.random((9, 12)).astype(np.float32)
    np.testing.assert_allclose(restore(Image.fromarray(shares), prior=same, sigma=1.0), shares * 65535, atol=0.6)
    with pytest.raises(DataError, match=r"mode F must hold numbers from 0 to 1, got -1 to 3\. Scale it first"):
        read(Image.fromarray(np.array([[-1, 3]], np.float32)))


@pytest.mark.parametrize(("mode", "clear"), [("L", 7), ("RGB", (1, 2, 3)), ("P", 1), ("P", bytes([255, 0, 128]))])
def test_a_colour_that_stands_for_nothing_becomes_alpha(mode, clear, tmp_path):
    pixels = np.full((2, 3), 7, np.uint8) if mode == "L" else np.full((2, 3, 3), (1, 2, 3), np.uint8)
    image = Image.new("P", (3, 2), 1) if mode == "P" else Image.fromarray(pixels)
    if mode == "P":
        image.putpalette([9, 9, 9, 50, 60, 70, 0, 0, 0])
    image.save(tmp_path / "clear.png", transparency=clear)
    with Image.open(tmp_path / "clear.png") as opened:
        out = restore(opened, prior=same, sigma=1.0)
    assert out.mode == ("LA" if mode == "L" else "RGBA")
    assert (np.asarray(out)[..., -1] == 0).all()


def test_the_colours_profile_is_kept_but_where_they_are_converted():
    image = Image.fromarray(PICTURES["colour"])
    image.info["icc_profile"] = b"profile"
    assert restore(image, prior=same, sigma=1.0).info["icc_profile"] == b"profile"
    other = image.convert("CMYK")
    other.info["icc_profile"] = b"profile"
    assert "icc_profile" not in restore(other, prior=same, sigma=1.0).info


def test_a_photograph_is_turned_upright():
    image = Image.fromarray(PICTURES["colour"])
    image.getexif()[0x0112] = 6
    assert restore(image, prior=same, sigma=1.0).size == (9, 12)


def test_sigma_is_in_the_picture_s_own_units():
    told = []

    def prior(x, sigma):
        told.append(sigma)
        return x

    for kind, sigma in (("gray", 25.5), ("16 bits", 6553.5), ("floats", 0.1)):
        restore(PICTURES[kind], prior=prior, sigma=sigma)
    assert told == pytest.approx([0.1, 0.1, 0.1])


def test_noise_that_is_not_told_is_estimated():
    told = []
    torch.manual_seed(0)
    y = 0.5 + 0.1 * torch.randn(1, 1, 64, 64)
    restore(y.clamp(0, 1), prior=lambda x, sigma: told.append(sigma) or x)
    assert told == [pytest.approx(0.1, rel=0.1)]


def test_strong_noise_beyond_the_range_is_no_mistake_and_measurements_may_be_any_numbers():
    torch.manual_seed(0)
    y = torch.ones(1, 64, 64) + 100 / 255 * torch.randn(1, 64, 64)
    assert float(y.max()) > 2
    restore(y, prior=same, sigma=100 / 255)
    hidden = torch.rand(64, 64) < 0.5
    restore(torch.where(hidden, torch.tensor(9e9), y), Inpaint(~hidden), same, 0.1, solver=HQS(iterations=1))
    mixing = Custom(lambda x: 300 * x, (1, 8, 8))
    out = restore(mixing(torch.full((2, 1, 8, 8), 0.5)), mixing, same, 0.0, solver=HQS(iterations=1))
    torch.testing.assert_close(out, torch.full((2, 1, 8, 8), 0.5))


def test_measurements_have_the_axes_that_their_operator_gives_them():
    operator = Custom(lambda x: x.mean(1), (3, 6, 5))  # (B, 6, 5): three axes that are no one image's
    x = torch.rand(3, 3, 6, 5)
    out = restore(operator(x), operator, same, 0.1, solver=HQS(iterations=2))
    assert out.shape == (3, 3, 6, 5)
    one = restore(operator(x)[1], operator, same, 0.1, solver=HQS(iterations=2))
    torch.testing.assert_close(one, out[1], rtol=0, atol=0)


def test_one_row_of_a_mosaic_says_nothing_of_the_third_colour_and_is_taken_as_gray():
    out = restore(np.full((1, 9), 90, np.uint8), Demosaic(), same)
    np.testing.assert_allclose(out, np.full((1, 9, 3), 90), atol=1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("operator", [None, Blur(torch.full((3, 3), 1 / 9)), Downsample(2)], ids=type)
def test_narrow_floats_are_computed_in_singles_and_come_back_narrow(dtype, operator):
    y = torch.rand(3, 12, 10).to(dtype)
    out = restore(y, operator, smooth, 0.1)
    assert out.dtype == dtype
    torch.testing.assert_close(out, restore(y.float(), operator, smooth, 0.1).to(dtype), rtol=0, atol=0)
    assert restore(y, operator, smooth).dtype == dtype  # and the noise estimated


def picture():
    i = torch.arange(32.0)
    return (0.5 + 0.4 * torch.sin(i / 5)[:, None] * torch.cos(i / 7)).expand(1, 3, -1, -1)


KERNEL = torch.tensor([[0.1, 0.1, 0.1], [0.1, 0.2, 0.1], [0.1, 0.1, 0.1]])


@pytest.mark.parametrize("solver", solver_names())
@pytest.mark.parametrize(
    "operator",
    [
        Blur(KERNEL),
        Inpaint(torch.rand(32, 32, generator=torch.Generator().manual_seed(0)) < 0.5),
        Downsample(2),
        Demosaic(),
        CompressSense((3, 32, 32), 0.5),
    ],
    ids=lambda operator: type(operator).__name__,
)
def test_every_solver_goes_with_every_operator(operator, solver):
    module = __import__(f"xhat.restore.solvers.{solver}", fromlist=[solver])
    cls = next(value for key, value in vars(module).items() if key.lower() == solver)
    y = operator(picture())
    out = restore(y, operator, smooth, 0.01, solver=cls(iterations=3))
    assert out.shape == (operator.covered(picture()).shape if isinstance(operator, Blur) else picture().shape)
    assert out.isfinite().all()
    assert torch.equal(out, restore(y, operator, smooth, 0.01, solver=cls(iterations=3)))


def test_it_undoes_a_blur_better_than_nothing_does_and_gives_the_picture_s_size():
    x = picture()
    y = Blur(KERNEL)(x)
    out = restore(y, Blur(KERNEL), smooth, 0.001)
    assert out.shape == y.shape
    truth = x[..., 1:-1, 1:-1]
    assert (out - truth).square().mean() < 0.5 * (y - truth).square().mean()


def test_alpha_grows_with_the_picture():
    y = PICTURES["alpha"].copy()
    y[..., 3] = 200
    out = restore(y, Downsample(2), same, 0.0)
    assert out.shape == (18, 24, 4)
    assert np.unique(out[..., 3]).tolist() == [200]


def test_iterations_are_shown():
    seen = []
    restore(picture(), Blur(KERNEL, "circular"), smooth, 0.01, watch=lambda t, x: seen.append(t))
    assert seen == list(range(1, HQS().iterations + 1))


def test_the_room_s_own_name_is_the_function_too():
    assert callable(xhat.restore)
    out = xhat.restore(PICTURES["gray"], prior=same, sigma=1.0)
    np.testing.assert_array_equal(out, PICTURES["gray"])


@pytest.mark.parametrize(
    ("y", "options", "error", "says"),
    [
        ("x.png", {}, DataError, r"restore: cannot read this as a picture, got str\. Give an array"),
        (np.zeros((2, 3, 5)), {}, DataError, r"an array must be a picture, got \(2, 3, 5\)"),
        (np.zeros((4, 4), np.int64), {}, DataError, "pictures hold bytes, 16-bit numbers or floats .* got int64"),
        (np.full((4, 4), np.nan), {}, DataError, "every value must be finite"),
        (torch.rand(4, 4), {"sigma": 0.1}, ShapeError, r"a tensor must be images, got \(4, 4\). Give"),
        (torch.rand(0, 3, 4, 4), {}, DataError, r"a tensor must hold some image, got \(0, 3, 4, 4\)"),
        (torch.rand(3, 4, 0), {}, DataError, r"a tensor must hold some image, got \(3, 4, 0\)"),
        (np.zeros((4, 0), np.uint8), {}, DataError, r"an array must be a picture, got \(4, 0\)"),
        (
            PICTURES["gray"].astype(np.float32),
            {"sigma": 15.0},
            DataError,
            r"floats must lie in \[0, 1\], but for their noise, got \d to 2\d\d\. Divide values of 0 to 255 by 255",
        ),
        (torch.randn(3, 9, 9) * 2, {}, DataError, r"floats must lie in \[0, 1\]"),
        (torch.rand(24), {"operator": CompressSense((3, 4, 4))}, ShapeError, r"measurements must be of shape \(12,\)"),
        (PICTURES["gray"], {"sigma": np.nan}, ConfigError, "sigma must be a number >= 0, got nan"),
        (PICTURES["gray"], {"sigma": np.inf}, ConfigError, "sigma must be a number >= 0, got inf"),
        (PICTURES["gray"], {"sigma": -1}, ConfigError, "sigma must be a number >= 0, got -1. Leave it out"),
        (PICTURES["gray"], {"sigma": "auto"}, ConfigError, "sigma must be a number >= 0, got auto. Leave it out"),
        (PICTURES["gray"], {"solver": HQS}, ConfigError, "solver must be a name or a solver, got the class HQS"),
        (PICTURES["gray"], {"operator": "blur"}, ConfigError, "operator must be an operator, got str"),
        (PICTURES["gray"], {"prior": 3}, ConfigError, "prior must be 'default', a run folder or .*, got int"),
        (PICTURES["gray"], {"solver": "hsq"}, UnknownKindError, "there is no 'hsq'. Did you mean 'hqs'?"),
    ],
)
def test_what_cannot_be_restored_is_refused_in_a_line(y, options, error, says):
    with pytest.raises(error, match=says) as refused:
        restore(y, **{"prior": same, **options})
    assert "\n" not in str(refused.value)
