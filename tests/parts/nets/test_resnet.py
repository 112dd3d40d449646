import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.nets.resnet import ResNetDecoder, ResNetEncoder

PIXELS = st.integers(5, 37)


@given(channels=st.integers(1, 3), height=PIXELS, width=PIXELS)
@settings(max_examples=15, deadline=None)
def test_an_image_of_any_size_comes_back_in_its_size(channels, height, width):
    shape = (channels, height, width)
    h = ResNetEncoder(shape, (4,), widths=(4, 8))(torch.rand(2, *shape))
    assert h.shape == (2, 4)
    assert ResNetDecoder((4,), shape, widths=(4, 8))(h).shape == (2, *shape)


@given(height=PIXELS, width=PIXELS, stages=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_a_spatial_code_has_the_grid_of_the_last_stage(height, width, stages):
    code = (2, -(-height // 2**stages), -(-width // 2**stages))
    shape, widths = (1, height, width), (4,) * stages
    h = ResNetEncoder(shape, code, widths=widths)(torch.rand(1, *shape))
    assert h.shape == (1, *code)
    assert ResNetDecoder(code, shape, widths=widths)(h).shape == (1, *shape)


def test_large_images_pass():
    shape, code = (3, 256, 256), (4,)
    encoder, decoder = ResNetEncoder(shape, code), ResNetDecoder(code, shape)
    assert decoder(encoder(torch.rand(1, *shape))).shape == (1, *shape)


@pytest.mark.parametrize("blocks", [1, 3])
def test_blocks_are_counted_per_stage(blocks):
    x, z = (2, 16, 16), (3,)
    for net in (
        ResNetEncoder(x, z, widths=(4, 8), blocks=blocks),
        ResNetDecoder(z, x, widths=(4, 8), blocks=blocks),
    ):
        assert sum(isinstance(m, nn.GroupNorm) for m in net.modules()) == 2 * 2 * blocks  # two a block, two stages


def test_how_bright_an_image_is_reaches_the_code():
    encoder, x = ResNetEncoder.example(), torch.rand(1, 2, 9, 7)
    assert not torch.allclose(encoder(x), encoder(3 * x), rtol=0.1)


def test_a_grid_of_one_pixel_still_says_something():
    encoder = ResNetEncoder((1, 5, 5), (3,), widths=(4, 4, 4))
    a, b = encoder.stages(torch.rand(2, 1, 5, 5))
    assert a.shape == (4, 1, 1)
    assert not torch.allclose(a, b)


def test_training_begins_near_zero():
    assert ResNetDecoder((8,), (3, 16, 16))(torch.randn(16, 8)).var() < 0.5


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: ResNetEncoder((30,), (3,)),
            ShapeError,
            r"nets/resnet: needs images of shape \(C, H, W\), got rows of shape \(30,\)\. Use nets/mlp",
        ),
        (
            lambda: ResNetEncoder((1, 8, 8), (3,), widths=(4,) * 5),
            ShapeError,
            r"nets/resnet: 5 stages of stride 2 need images of at least 17 pixels a side, got \(8, 8\)",
        ),
        (lambda: ResNetDecoder((2, 3, 3), (1, 8, 8), widths=(4, 4)), ShapeError, r"the last stage's grid \(2, 2\)"),
        (lambda: ResNetDecoder((3,), (1, 8, 8), blocks=0), ConfigError, r"blocks must be >= 1, got 0\. Use nets/conv"),
    ],
)
def test_what_cannot_be_built_is_refused_in_a_line_that_teaches(make, error, message):
    with pytest.raises(error, match=message):
        make()
