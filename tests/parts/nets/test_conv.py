import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.nets.conv import ConvDecoder, ConvEncoder

PIXELS = st.integers(5, 37)


@given(channels=st.integers(1, 3), height=PIXELS, width=PIXELS)
@settings(max_examples=15, deadline=None)
def test_an_image_of_any_size_comes_back_in_its_size(channels, height, width):
    shape = (channels, height, width)
    h = ConvEncoder(shape, (4,), widths=(4, 8))(torch.rand(2, *shape))
    assert h.shape == (2, 4)
    assert ConvDecoder((4,), shape, widths=(4, 8))(h).shape == (2, *shape)


@given(height=PIXELS, width=PIXELS, stages=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_a_spatial_code_has_the_grid_of_the_last_stage(height, width, stages):
    grid = (-(-height // 2**stages), -(-width // 2**stages))
    shape, code, widths = (1, height, width), (2, *grid), (4,) * stages
    h = ConvEncoder(shape, code, widths=widths)(torch.rand(1, *shape))
    assert h.shape == (1, *code)
    assert ConvDecoder(code, shape, widths=widths)(h).shape == (1, *shape)


@pytest.mark.parametrize(("pixels", "left"), [(5, 3), (8, 4), (15, 8), (28, 7), (32, 4), (64, 4)])
def test_the_default_stages_leave_a_handful_of_pixels(pixels, left):
    encoder = ConvEncoder((1, pixels, pixels), (4,))
    assert encoder.stages(torch.rand(1, 1, pixels, pixels)).shape[2:] == (left, left)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ConvEncoder((6,), (3,)), ShapeError, r"nets/conv: needs images of shape \(C, H, W\), got rows of"),
        (lambda: ConvDecoder((3,), (28, 28)), ShapeError, r"needs images of shape \(C, H, W\)"),
        (lambda: ConvEncoder((1, 8, 8), (3,), widths=()), ConfigError, r"widths must be one or more numbers >= 1"),
        (
            lambda: ConvEncoder((1, 8, 8), (3,), widths=(4,) * 5),
            ShapeError,
            r"5 stages of stride 2 need images of at least 17 pixels a side, got \(8, 8\)\. Use fewer widths",
        ),
        (
            lambda: ConvEncoder((1, 8, 8), (2, 3, 3), widths=(4, 4)),
            ShapeError,
            r"a spatial code must have the last stage's grid \(2, 2\), got \(3, 3\)",
        ),
        (lambda: ConvEncoder((1, 8, 8), (3,), activation="reul"), ConfigError, r"got 'reul'. Did you mean 'relu'\?"),
    ],
)
def test_what_cannot_be_built_is_refused_in_a_line_that_teaches(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_an_image_of_another_rank_is_refused_at_the_door():
    with pytest.raises(TypeError, match=r"HalvingEncoder\.forward"):
        ConvEncoder.example()(torch.rand(2, 9, 7))
