import pytest
import torch

from xhat.core import Batch
from xhat.core.errors import ShapeError
from xhat.models.recipes.restoration_prior import restoration_prior
from xhat.parts.nets._noise_level import noise_level
from xhat.parts.nets.denoiser import DenoiserDecoder, DenoiserEncoder


def smooth(n=4, side=96):
    """Gradients and a straight edge, which have no diagonal detail but along the edge."""
    x = torch.linspace(0, 1, side).expand(n, 1, side, side) * torch.rand(n, 1, 1, 1)
    return torch.cat([x[..., : side // 2], 1 - x[..., side // 2 :]], -1)


@pytest.mark.parametrize("sigma", [0.01, 0.1, 0.5])
def test_the_noise_of_smooth_images_is_known_to_a_twentieth(sigma):
    torch.manual_seed(0)
    x = smooth()
    found = noise_level(x + sigma * torch.randn_like(x))
    torch.testing.assert_close(found, torch.full((4,), sigma), rtol=0.05, atol=0.0)


def test_what_has_no_noise_or_no_neighbours_has_none():
    assert noise_level(smooth()).max() < 1e-6
    assert noise_level(torch.rand(2, 3, 1, 9)).tolist() == [0.0, 0.0]


def test_a_code_is_the_image_and_its_noise_told_or_estimated():
    encoder, x = DenoiserEncoder((2, 9, 7), (3, 9, 7)), torch.rand(3, 2, 9, 7)
    told = encoder(x, torch.tensor([0.1, 0.2, 0.3]))
    torch.testing.assert_close(told[:, :2], x)
    assert [sorted(set(row.flatten().tolist())) for row in told[:, 2:]] == [[pytest.approx(s)] for s in (0.1, 0.2, 0.3)]
    torch.testing.assert_close(encoder(x)[:, 2, 0, 0], noise_level(x))


def test_an_autoencoder_hands_the_noise_of_a_batch_to_its_encoder():
    model, x = restoration_prior((3, 8, 8), options={"widths": (4,), "blocks": 1}).model, torch.rand(2, 3, 8, 8)
    h = model.encode(Batch(x, noise=torch.tensor([0.1, 0.4]))).z
    torch.testing.assert_close(h[:, 3, 0, 0], torch.tensor([0.1, 0.4]))
    assert model.decode(h).mean.shape == x.shape


def test_it_starts_as_the_identity_and_reads_images_of_other_sizes():
    decoder = DenoiserDecoder((4, 8, 8), (3, 8, 8), widths=(4, 8), blocks=1)
    z = torch.rand(2, 4, 13, 30)
    torch.testing.assert_close(decoder(z), z[:, :3])


def test_it_is_homogeneous():
    decoder = DenoiserDecoder.example().double()
    for p in decoder.parameters():
        torch.nn.init.normal_(p, std=0.2)
    z = torch.rand(2, 3, 9, 7, dtype=torch.float64)
    torch.testing.assert_close(decoder(255 * z), 255 * decoder(z))
    assert not torch.allclose(decoder(z), z[:, :2])


def test_a_code_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match=r"nets/denoiser: a code of images of shape \(3, 8, 8\) .* got \(3, 8, 8\)"):
        DenoiserEncoder((3, 8, 8), (3, 8, 8))
    with pytest.raises(ShapeError, match=r"use the shape \(4, 8, 8\)|Use the shape \(4, 8, 8\)"):
        DenoiserDecoder((16,), (3, 8, 8))
