import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.nets.conv import ConvEncoder
from xhat.parts.nets.deconv import DeconvDecoder, DeconvEncoder

PIXELS = st.integers(5, 37)


@given(channels=st.integers(1, 3), height=PIXELS, width=PIXELS)
@settings(max_examples=15, deadline=None)
def test_an_image_of_any_size_comes_back_in_its_size(channels, height, width):
    shape = (channels, height, width)
    h = DeconvEncoder(shape, (4,), widths=(4, 8))(torch.rand(2, *shape))
    assert h.shape == (2, 4)
    assert DeconvDecoder((4,), shape, widths=(4, 8))(h).shape == (2, *shape)


@given(height=PIXELS, width=PIXELS, stages=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_a_spatial_code_has_the_grid_of_the_last_stage(height, width, stages):
    code = (2, -(-height // 2**stages), -(-width // 2**stages))
    shape, widths = (1, height, width), (4,) * stages
    h = DeconvEncoder(shape, code, widths=widths)(torch.rand(1, *shape))
    assert h.shape == (1, *code)
    assert DeconvDecoder(code, shape, widths=widths)(h).shape == (1, *shape)


def test_its_encoder_is_that_of_conv():
    ours, theirs = DeconvEncoder.example(), ConvEncoder.example()
    theirs.load_state_dict(ours.state_dict())
    x = torch.rand(2, 2, 9, 7)
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("pixels", [15, 16])
def test_no_checkerboard_where_the_weights_have_none(pixels):
    # All-equal weights on an all-equal code: every pixel away from the border must get as much as any other.
    decoder = DeconvDecoder((1,), (1, pixels, pixels), widths=(1, 1), activation="relu")
    for parameter in decoder.parameters():
        torch.nn.init.constant_(parameter, 0.5)
    inside = decoder(torch.ones(1, 1))[..., 4:-4, 4:-4]
    torch.testing.assert_close(inside, inside.mean().expand_as(inside))


def test_the_start_keeps_the_variance_through_transposed_convolutions():
    decoder = DeconvDecoder((64,), (3, 64, 64), widths=(64, 64, 64))
    assert 0.05 < decoder(torch.randn(32, 64)).var() < 2


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: DeconvEncoder((30,), (3,)),
            ShapeError,
            r"nets/deconv: needs images of shape \(C, H, W\), got rows of shape \(30,\)\. Use nets/mlp",
        ),
        (
            lambda: DeconvDecoder((3,), (1, 8, 8), widths=(4,) * 5),
            ShapeError,
            r"nets/deconv: 5 stages of stride 2 need images of at least 17 pixels a side, got \(8, 8\)",
        ),
        (lambda: DeconvDecoder((2, 3, 3), (1, 8, 8), widths=(4, 4)), ShapeError, r"the last stage's grid \(2, 2\)"),
        (lambda: DeconvDecoder((3,), (1, 8, 8), activation="reul"), ConfigError, r"nets/deconv: unknown activation"),
    ],
)
def test_what_cannot_be_built_is_refused_in_a_line_that_teaches(make, error, message):
    with pytest.raises(error, match=message):
        make()
