"""What each operator does, beside scipy, torch and Pillow, or told by hand."""

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from torch.nn.functional import interpolate

from xhat.core.errors import ConfigError, ShapeError
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.compress_sense import CompressSense, cosines
from xhat.restore.operators.custom import Custom
from xhat.restore.operators.decimate import Decimate
from xhat.restore.operators.demosaic import Demosaic
from xhat.restore.operators.downsample import Downsample, reduction
from xhat.restore.operators.inpaint import Inpaint

ODD, EVEN = torch.rand(3, 5, dtype=torch.float64), torch.rand(4, 2, dtype=torch.float64)


@pytest.mark.parametrize("kernel", [ODD, EVEN], ids=["odd", "even"])
@pytest.mark.parametrize(("border", "padding"), [("valid", None), ("circular", "wrap"), ("replicate", "edge")])
def test_blur_is_scipy_s_convolution(kernel, border, padding):
    x = torch.rand(1, 1, 9, 8, dtype=torch.float64)
    h, w = kernel.shape
    theirs = x[0, 0].numpy()
    if padding:
        theirs = np.pad(theirs, ((h - 1 - h // 2, h // 2), (w - 1 - w // 2, w // 2)), mode=padding)
    np.testing.assert_allclose(Blur(kernel, border)(x)[0, 0], convolve2d(theirs, kernel, mode="valid"), atol=1e-12)


@pytest.mark.parametrize("border", ["valid", "circular", "replicate"])
def test_a_point_leaves_an_image_where_it_is(border):
    point = torch.zeros(5, 5)
    point[2, 2] = 1
    x = torch.rand(1, 2, 9, 8)
    operator = Blur(point, border)
    y = operator(x)
    torch.testing.assert_close(y, x[..., 2:-2, 2:-2] if border == "valid" else x)
    torch.testing.assert_close(operator.start(y)[..., 2:-2, 2:-2], x[..., 2:-2, 2:-2])


def test_decimation_keeps_the_first_pixel_of_each_block_of_the_blurred_image():
    x = torch.rand(2, 1, 12, 9, dtype=torch.float64)
    blurred = Blur(ODD, "circular")(x)
    torch.testing.assert_close(Decimate(ODD, 3)(x), blurred[..., ::3, ::3])


def test_decimation_starts_where_its_pixels_lie():
    ramp = torch.arange(24.0).expand(1, 1, 24, 24)
    point = torch.ones(1, 1)
    start = Decimate(point, 2).start(Decimate(point, 2)(ramp))
    torch.testing.assert_close(start[..., 6:-6, 6:-6], ramp[..., 6:-6, 6:-6], rtol=0, atol=0.02)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_downsampling_is_torch_s_away_from_the_borders(scale):
    x = torch.rand(1, 2, 24 * scale, 20 * scale, dtype=torch.float64)
    theirs = interpolate(x, scale_factor=1 / scale, mode="bicubic", antialias=True, align_corners=False)
    torch.testing.assert_close(Downsample(scale)(x)[..., 4:-4, 4:-4], theirs[..., 4:-4, 4:-4], rtol=1e-6, atol=1e-6)


def test_its_weights_sum_to_one_and_are_mirrored_at_the_borders():
    # imresize halves by (-3, -9, 29, 111, 111, 29, -9, -3) / 256; at the border the outer three fold back.
    matrix = reduction(12, 2)
    torch.testing.assert_close(matrix.sum(1), torch.ones(6, dtype=torch.float64))
    inner = torch.tensor([-3, -9, 29, 111, 111, 29, -9, -3], dtype=torch.float64) / 256
    torch.testing.assert_close(matrix[2, 1:9], inner)
    torch.testing.assert_close(matrix[0, :5], torch.tensor([140, 102, 26, -9, -3], dtype=torch.float64) / 256)
    assert float(matrix[0, 5:].abs().max()) == 0


def test_what_was_hidden_is_filled_from_around():
    ramp = torch.arange(20.0).expand(1, 1, 16, 20)
    mask = torch.ones(16, 20, dtype=torch.bool)
    mask[5:8, 5:8] = False
    operator = Inpaint(mask)
    start = operator.start(operator(ramp))
    torch.testing.assert_close(start[..., mask], ramp[..., mask])
    torch.testing.assert_close(start[..., 6, 6], ramp[..., 6, 6], rtol=0, atol=0.5)


@pytest.mark.parametrize(
    ("pattern", "first"),
    [("RGGB", [0, 1, 1, 2]), ("BGGR", [2, 1, 1, 0]), ("GRBG", [1, 0, 2, 1]), ("GBRG", [1, 2, 0, 1])],
)
def test_a_mosaic_shows_the_colours_of_its_pattern(pattern, first):
    x = torch.arange(3.0)[:, None, None].expand(3, 4, 6)[None]
    mosaic = Demosaic(pattern)(x)[0, 0]
    assert mosaic[:2, :2].flatten().tolist() == first
    assert torch.equal(mosaic[:2, :2].repeat(2, 3), mosaic)


def test_a_colour_ramp_is_demosaicked_exactly_away_from_the_borders():
    x = torch.stack([torch.arange(12.0).expand(10, 12), 2 * torch.arange(12.0).expand(10, 12), torch.ones(10, 12)])[
        None
    ]
    operator = Demosaic("RGGB")
    torch.testing.assert_close(operator.start(operator(x))[..., 1:-1, 1:-1], x[..., 1:-1, 1:-1])


def test_random_mixtures_are_orthonormal_and_their_seed_s():
    operator = CompressSense((1, 8, 6), share=0.5, seed=3).double()
    y = torch.randn(2, 24, dtype=torch.float64)
    torch.testing.assert_close(operator(operator.adjoint(y)), y)
    x = torch.randn(1, 1, 8, 6, dtype=torch.float64)
    torch.testing.assert_close(CompressSense((1, 8, 6), share=0.5, seed=3)(x), operator(x))
    assert not torch.allclose(CompressSense((1, 8, 6), share=0.5, seed=4)(x), operator(x))
    basis = cosines(7)
    torch.testing.assert_close(basis @ basis.T, torch.eye(7, dtype=torch.float64))


def test_a_given_transpose_is_used():
    used = []
    operator = Custom(lambda x: 2 * x, (1, 4, 4), transposed=lambda y: used.append(y) or 2 * y)
    used.clear()
    assert float(operator.adjoint(torch.ones(1, 1, 4, 4)).mean()) == 2
    assert len(used) == 1
    # A shift to the right leads back to the left.
    Custom(lambda x: x.roll(1, -1), (2, 30, 40), transposed=lambda y: y.roll(-1, -1))


@pytest.mark.parametrize(
    ("function", "transposed", "says"),
    [
        (lambda x: 2 * x, lambda y: 7 * y, r"got -?[\d.]+ and -?[\d.]+\. Leave it out to have it found"),
        (lambda x: x.roll(1, -1), lambda y: y.roll(1, -1), "must be A's transpose: <A x, y> = <x, A.T y>"),
        # What a transpose is wrong by may vanish wherever y = A x.
        (lambda x: x, lambda y: y + 0.2 * (y.roll(1, -1) - y.roll(-1, -1)), "must be A's transpose"),
        (lambda x: x[..., 1:, :], lambda y: y, r"must give images of the shape \(1, 12, 10\), got \(1, 11, 10\)"),
    ],
    ids=["scale", "shift", "skew", "shape"],
)
def test_a_transpose_that_is_none_is_refused(function, transposed, says):
    with pytest.raises((ConfigError, ShapeError), match=says) as refused:
        Custom(function, (1, 12, 10), transposed)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Blur(torch.ones(3)), ShapeError, r"operators/blur: a kernel must be of shape \(h, w\), got \(3,\)"),
        (lambda: Blur(torch.zeros(3, 3)), ConfigError, "a kernel must hold finite numbers, not all 0"),
        (lambda: Blur(ODD, "zero"), ConfigError, "border must be one of valid, circular, replicate, got 'zero'"),
        (
            lambda: Blur(torch.ones(9, 9))(torch.ones(1, 1, 8, 20)),
            ShapeError,
            r"the kernel of \(9, 9\) must not be larger than the image, got \(8, 20\)\. Crop the kernel",
        ),
        (lambda: Decimate(ODD, 0), ConfigError, "operators/decimate: scale must be a whole number >= 1, got 0"),
        (lambda: Downsample(0), ConfigError, "operators/downsample: scale must be a whole number >= 1, got 0"),
        (
            lambda: Downsample(3)(torch.ones(1, 1, 9, 8)),
            ShapeError,
            r"sides must be multiples of 3, got \(9, 8\)\. Crop",
        ),
        (
            lambda: Inpaint(torch.ones(4, 4, dtype=torch.bool))(torch.ones(1, 1, 4, 5)),
            ShapeError,
            r"the mask is of \(4, 4\), and so must images be, got \(4, 5\)\. Give a mask of the image's size",
        ),
        (lambda: Inpaint(torch.zeros(4, 4, dtype=torch.bool)), ConfigError, "some pixel must have been seen, got none"),
        (
            lambda: Inpaint(torch.ones(4, 4)),
            ShapeError,
            r"a mask must be of bool .* got torch.float32 of shape \(4, 4\)",
        ),
        (lambda: Blur(np.ones((3, 3))), ConfigError, "a kernel must be a tensor, got ndarray. Use torch.from_numpy"),
        (lambda: Decimate(np.ones((3, 3))), ConfigError, "decimate: a kernel must be a tensor, got ndarray"),
        (
            lambda: Inpaint(np.ones((4, 4), bool)),
            ConfigError,
            "a mask must be a tensor of bool, got ndarray. Use torch",
        ),
        (lambda: Downsample(2.5), ConfigError, "scale must be a whole number >= 1, got 2.5"),
        (lambda: Decimate(ODD, 2.5), ConfigError, "scale must be a whole number >= 1, got 2.5"),
        (
            lambda: Inpaint(torch.ones(4, 6, 6, dtype=torch.bool))(torch.ones(1, 3, 6, 6)),
            ShapeError,
            r"mask of shape \(4, 6, 6\) must fit the images, got \(1, 3, 6, 6\)\. Give one of shape \(H, W\)",
        ),
        (
            lambda: Inpaint(torch.ones(2, 1, 6, 6, dtype=torch.bool))(torch.ones(1, 3, 6, 6)),
            ShapeError,
            r"mask of shape \(2, 1, 6, 6\) must fit the images, got \(1, 3, 6, 6\)",
        ),
        (
            lambda: CompressSense((1, 4, 4), share=0.5).adjoint(torch.ones(1, 7)),
            ShapeError,
            r"measurements must be of shape \(B, 8\), got \(1, 7\)\. Give each image a row",
        ),
        (lambda: Demosaic("RGB"), ConfigError, "pattern must be one of RGGB, BGGR, GRBG, GBRG, got 'RGB'"),
        (lambda: Demosaic()(torch.ones(1, 1, 4, 4)), ShapeError, r"reads images of 3 channels, got 1\. A gray picture"),
        (lambda: CompressSense((1, 4, 4), share=0), ConfigError, r"share must lie in \(0, 1\], got 0"),
        (
            lambda: Custom(lambda x: x + 1, (1, 4, 4)),
            ConfigError,
            r"must be linear, got .* Move what is constant into y",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(make, error, says):
    with pytest.raises(error, match=says) as refused:
        make()
    assert "\n" not in str(refused.value)
