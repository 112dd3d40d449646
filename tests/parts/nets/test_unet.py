import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xhat.core.errors import ConfigError, ShapeError
from xhat.parts.nets._unet import mirrored
from xhat.parts.nets.unet import UNet, UNetDecoder, UNetEncoder

PIXELS = st.integers(5, 37)


@given(channels=st.integers(1, 3), height=PIXELS, width=PIXELS)
@settings(max_examples=15, deadline=None)
def test_an_image_of_any_size_comes_back_in_its_size(channels, height, width):
    shape = (channels, height, width)
    h = UNetEncoder(shape, (4,), widths=(4, 8))(torch.rand(2, *shape))
    assert h.shape == (2, 4)
    assert UNetDecoder((4,), shape, widths=(4, 8))(h).shape == (2, *shape)


@given(height=PIXELS, width=PIXELS, levels=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_a_spatial_code_has_the_grid_of_the_last_level(height, width, levels):
    code = (2, -(-height // 2**levels), -(-width // 2**levels))
    shape, widths = (1, height, width), (4,) * levels
    h = UNetEncoder(shape, code, widths=widths)(torch.rand(1, *shape))
    assert h.shape == (1, *code)
    assert UNetDecoder(code, shape, widths=widths)(h).shape == (1, *shape)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: UNetEncoder((30,), (3,)),
            ShapeError,
            r"nets/unet: needs images of shape \(C, H, W\), got rows of shape \(30,\)\. Use nets/mlp",
        ),
        (
            lambda: UNetEncoder((1, 8, 8), (3,), widths=(4,) * 5),
            ShapeError,
            r"nets/unet: 5 stages of stride 2 need images of at least 17 pixels a side, got \(8, 8\)",
        ),
        (lambda: UNetDecoder((2, 3, 3), (1, 8, 8), widths=(4, 4)), ShapeError, r"the last stage's grid \(2, 2\)"),
        (lambda: UNetDecoder((3,), (1, 8, 8), blocks=0), ConfigError, r"nets/unet: blocks must be >= 1, got 0"),
        (lambda: UNet(0), ConfigError, r"nets/unet: channels must be >= 1, got 0"),
        (lambda: UNet(1, widths=()), ConfigError, r"nets/unet: widths must be one or more numbers >= 1"),
        (
            lambda: UNet(1, activation="silu"),
            ConfigError,
            r"nets/unet: a bias-free net needs activation 'relu', the homogeneous one, got 'silu'\. Or use bias_free",
        ),
    ],
)
def test_what_cannot_be_built_is_refused_in_a_line_that_teaches(make, error, message):
    with pytest.raises(error, match=message):
        make()


# The denoiser


@pytest.fixture
def denoiser():
    net = UNet.example().double()
    # As if it were trained: at its small start anything would look equivariant.
    torch.nn.init.normal_(net.last.weight, std=0.3)
    return net


@given(height=st.integers(1, 19), width=st.integers(1, 19))
@settings(max_examples=20, deadline=None)
def test_it_denoises_images_of_any_size(height, width):
    x = torch.rand(2, 2, height, width)
    assert UNet.example()(x, torch.tensor([0.1, 0.2])).shape == x.shape


@pytest.mark.parametrize("a", [0.01, 1.0, 255.0])
def test_without_biases_it_is_homogeneous(denoiser, a):
    x, sigma = torch.randn(2, 2, 9, 7, dtype=torch.float64), torch.tensor([0.1, 0.5], dtype=torch.float64)
    torch.testing.assert_close(denoiser(a * x, a * sigma), a * denoiser(x, sigma), rtol=1e-9, atol=1e-9)
    assert not [name for name, _ in denoiser.named_parameters() if name.endswith("bias")]


def test_with_biases_it_is_not():
    net = UNet(1, widths=(4,), blocks=1, activation="silu", bias_free=False)
    torch.nn.init.normal_(net.last.weight)
    x, sigma = torch.randn(1, 1, 8, 8), torch.tensor([0.1])
    assert not torch.allclose(net(10 * x, 10 * sigma), 10 * net(x, sigma), rtol=1e-2)


def test_moving_an_image_by_the_stride_moves_the_answer(denoiser):
    x, sigma = torch.randn(1, 2, 80, 80, dtype=torch.float64), torch.tensor([0.3], dtype=torch.float64)
    moved = denoiser(x[..., 4:, 8:], sigma)
    # Away from the borders, where the images differ: further than the net sees.
    torch.testing.assert_close(denoiser(x, sigma)[..., 36:-32, 40:-32], moved[..., 32:-32, 32:-32])


def test_what_is_mirrored_to_reach_the_stride_is_cropped(denoiser):
    x, sigma = torch.randn(1, 2, 9, 7, dtype=torch.float64), torch.tensor([0.3], dtype=torch.float64)
    torch.testing.assert_close(denoiser(x, sigma), denoiser(mirrored(x, 4), sigma)[..., :9, :7])


def test_it_reads_sigma_of_each_image(denoiser):
    x = torch.randn(1, 2, 8, 8, dtype=torch.float64).expand(2, -1, -1, -1)
    weak, strong = denoiser(x, torch.tensor([0.1, 1.0], dtype=torch.float64))
    assert not torch.allclose(weak, strong)


def test_it_starts_near_the_identity_and_is_it_with_a_last_layer_of_zeros():
    net, x, sigma = UNet(1), torch.rand(2, 1, 16, 16), torch.tensor([0.1, 0.1])
    assert (net(x, sigma) - x).std() < 0.3
    torch.nn.init.zeros_(net.last.weight)
    torch.testing.assert_close(net(x, sigma), x)


def test_gradients_reach_every_parameter(denoiser):
    out = denoiser(torch.randn(2, 2, 9, 7, dtype=torch.float64), torch.tensor([0.1, 0.2], dtype=torch.float64))
    (out * torch.randn_like(out)).sum().backward()
    assert all(p.grad.abs().max() > 0 for p in denoiser.parameters())


@pytest.mark.parametrize(
    ("n", "stride", "indices"), [(4, 4, [0, 1, 2, 3]), (3, 4, [0, 1, 2, 1]), (2, 8, [0, 1] * 4), (1, 4, [0] * 4)]
)
def test_reflection_goes_as_far_as_it_must(n, stride, indices):
    x = torch.arange(n).float()
    assert mirrored(x.expand(1, 1, n, n), stride)[0, 0, 0].tolist() == indices
    assert mirrored(x[:, None].expand(1, 1, n, n), stride)[0, 0, :, 0].tolist() == indices
