from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import avg_pool2d

from xhat.core.errors import ArtifactError, ConfigError, MissingFileError
from xhat.parts.nets._noise_level import noise_level
from xhat.parts.nets.unet import UNet, UNetDecoder
from xhat.restore import noise
from xhat.restore import prior as priors
from xhat.restore.noise import estimate_sigma
from xhat.restore.prior import Prior
from xhat.restore.tiling import tiled


@pytest.fixture
def prior():
    net = UNet(3, widths=(4, 8), blocks=1)
    torch.nn.init.normal_(net.last.weight, std=0.05)
    return Prior(net)


def test_gray_is_shown_three_times_and_averaged(prior):
    x = torch.rand(2, 1, 9, 13)
    theirs = prior.net(x.expand(-1, 3, -1, -1), torch.full((2,), 0.1)).mean(1, keepdim=True)
    torch.testing.assert_close(prior(x, 0.1), theirs)


def test_colour_is_seen_at_once_and_other_channels_one_by_one(prior):
    x = torch.rand(2, 3, 8, 8)
    sigma = torch.tensor([0.1, 0.3])
    torch.testing.assert_close(prior(x, sigma), prior.net(x, sigma))
    torch.testing.assert_close(prior(x[:, :2], sigma)[:, 1:], prior(x[:, 1:2], sigma))


def test_strengths_may_lie_along_axes_of_their_own_but_not_be_more_than_images(prior):
    x, sigma = torch.rand(2, 3, 8, 8), torch.tensor([0.1, 0.3])
    torch.testing.assert_close(prior(x, sigma[:, None, None, None]), prior(x, sigma))
    with pytest.raises(ConfigError, match=r"Prior: sigma must be one number, or one for each of 2 images, got 3 num"):
        prior(x, torch.rand(3))


def test_where_a_gradient_is_asked_for_the_net_sees_the_whole_image(prior, monkeypatch):
    monkeypatch.setattr(priors, "tiled", None)
    x = torch.rand(1, 3, 40, 40, requires_grad=True)
    prior(x, 0.1).sum().backward()
    assert x.grad.isfinite().all()


def test_in_tiles_it_is_the_same_without_a_seam(prior, monkeypatch):
    x = torch.rand(1, 3, 150, 90)
    whole = prior(x, 0.1)
    monkeypatch.setattr(priors, "TILE", 40)
    monkeypatch.setattr(priors, "MARGIN", 24)  # this small net sees 22 pixels
    torch.testing.assert_close(prior(x, 0.1), whole, rtol=0, atol=1e-6)
    monkeypatch.setattr(priors, "MARGIN", 8)
    assert not torch.allclose(prior(x, 0.1), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(301, 233), (64, 517), (1, 700), (263, 1)])
def test_odd_pictures_in_tiles_are_as_whole_ones_at_the_shipped_prior_s_size(size, monkeypatch):
    net = UNet(3, widths=(4, 8, 8), blocks=2)  # the paths of the recipe's, narrower, with weights as at random
    torch.nn.init.normal_(net.last.weight, std=0.05)
    x, prior = torch.rand(1, 3, *size), Prior(net)
    whole, tiles = prior(x, 0.1), []
    assert not torch.allclose(whole, x, atol=0.01)
    prior.watch = lambda done, of: tiles.append((done, of))
    monkeypatch.setattr(priors, "TILE", 64)
    torch.testing.assert_close(prior(x, 0.1), whole, rtol=0, atol=1e-5)
    of = -(-size[0] // 64) * -(-size[1] // 64)
    assert tiles == [(done, of) for done in range(1, of + 1)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_images_of_any_floating_type_come_back_so(prior, dtype):
    x = torch.rand(1, 3, 8, 8)
    out = prior(x.to(dtype), 0.1)
    assert out.dtype == dtype
    torch.testing.assert_close(out.float(), prior(x, 0.1), rtol=0, atol=2e-3)


def test_bytes_are_refused_with_a_line(prior):
    with pytest.raises(ConfigError, match=r"floats of shape \(B, C, H, W\), got torch.uint8 .*Divide bytes by 255"):
        prior.forward.__wrapped__(prior, torch.zeros(1, 3, 8, 8, dtype=torch.uint8), 0.1)


def test_where_memory_is_short_tiles_are_halved(prior, monkeypatch):
    x = torch.rand(1, 3, 150, 90)
    whole, asked = prior(x, 0.1), []

    def short(f, x, tile, margin, watch):
        asked.append(tile)
        if tile > 64:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return tiled(f, x, tile, margin, watch=watch)

    monkeypatch.setattr(priors, "tiled", short)
    torch.testing.assert_close(prior(x, 0.1), whole)
    assert asked == [512, 256, 128, 64]
    monkeypatch.setattr(priors, "LEAST", 128)
    with pytest.raises(RuntimeError, match="allocate memory"):
        prior(x, 0.1)


def test_the_shipped_net_sees_no_further_than_its_margin():
    net = UNet(3, widths=(2, 2, 2), blocks=2)  # the paths of the recipe's, narrower
    torch.nn.init.ones_(net.last.weight)
    for p in net.parameters():
        torch.nn.init.uniform_(p, 0.01, 0.02)  # nothing cancels, no unit is silent
    x = torch.rand(1, 3, 256, 256, requires_grad=True)
    (seen,) = torch.autograd.grad(net(x, torch.tensor([0.1]))[0, 0, 128, 128], x)
    rows = seen[0].abs().sum((0, 2)).nonzero()[:, 0]
    assert 128 - int(rows.min()) <= priors.MARGIN
    assert int(rows.max()) - 128 <= priors.MARGIN
    assert int(rows.max()) - int(rows.min()) > priors.MARGIN  # and not much nearer


def test_tiles_hand_on_what_they_cover():
    x = torch.rand(1, 1, 50, 70)
    shapes = []

    def pooled(part):
        shapes.append(part.shape)
        return avg_pool2d(part, 3, 1, 1)

    torch.testing.assert_close(tiled(pooled, x, tile=16, margin=8), avg_pool2d(x, 3, 1, 1))
    assert len(shapes) == 4 * 5
    assert max(max(shape[-2:]) for shape in shapes) == 32


def test_without_weights_the_line_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(priors, "SHIPPED", tmp_path / "none")
    with pytest.raises(MissingFileError, match=r"ships no prior\. Train it: xhat fit FOLDER --recipe rest"):
        Prior.load()
    with pytest.raises(MissingFileError, match="there is no run folder"):
        Prior.load(tmp_path / "none")


def test_another_model_is_no_prior(tmp_path, monkeypatch):
    run = SimpleNamespace(model=SimpleNamespace(decoder=UNetDecoder.example()))
    monkeypatch.setattr(priors, "load", lambda path: run)
    with pytest.raises(ArtifactError, match="is no restoration prior"):
        Prior.load(tmp_path / "run")


def scene(side=128):
    """A smooth picture with edges."""
    i = torch.arange(side, dtype=torch.float32)
    wave = 0.5 + 0.3 * torch.sin(i / 9)[:, None] * torch.cos(i / 13)
    return torch.where((i[:, None] - 60) ** 2 + (i - 50) ** 2 < 900, 1 - wave, wave)[None, None]


@pytest.mark.parametrize("sigma", [0.005, 0.02, 0.1])
@pytest.mark.parametrize("channels", [1, 3])
def test_noise_is_estimated_to_a_tenth(sigma, channels):
    torch.manual_seed(0)
    x = scene().expand(1, channels, -1, -1)
    assert estimate_sigma(x + sigma * torch.randn_like(x)) == pytest.approx(sigma, rel=0.1)


def test_a_picture_that_is_textured_but_for_a_corner_does_not_hide_the_noise():
    torch.manual_seed(0)
    x = torch.rand(1, 1, 128, 128)
    x[..., :40, :40] = 0.5
    assert estimate_sigma(x + 0.02 * torch.randn_like(x)) == pytest.approx(0.02, rel=0.25)


def test_noise_that_was_cut_off_at_the_ends_of_the_range_is_not_taken_for_less():
    torch.manual_seed(0)
    x = scene(128).repeat(1, 3, 1, 1)
    x[:, 0] = 0.01
    y = (x + 0.1 * torch.randn_like(x)).clamp(0, 1)
    assert estimate_sigma(y) == pytest.approx(0.1, rel=0.1)


def test_of_a_large_picture_no_more_blocks_are_looked_at_than_tell(monkeypatch):
    torch.manual_seed(0)
    y = scene(512).expand(1, 3, -1, -1) + 0.02 * torch.randn(1, 3, 512, 512)
    looked, every = [], estimate_sigma(y)
    monkeypatch.setattr(noise, "noise_level", lambda blocks: looked.append(len(blocks)) or noise_level(blocks))
    monkeypatch.setattr(noise, "MOST", 2_000)
    assert estimate_sigma(y) == pytest.approx(0.02, rel=0.1)
    assert 1_500 < looked[0] <= 2_000
    monkeypatch.setattr(noise, "MOST", 20_000)
    assert estimate_sigma(y) == every  # where all are few enough, all are looked at
    assert looked[1] == 3 * 63 * 63


def test_what_is_small_or_constant_has_an_estimate_as_well():
    torch.manual_seed(0)
    assert estimate_sigma(0.5 + 0.1 * torch.randn(1, 1, 12, 200)) == pytest.approx(0.1, rel=0.15)
    assert estimate_sigma(torch.full((1, 1, 64, 64), 0.5)) < 1e-6
    assert estimate_sigma(torch.rand(1, 3, 1, 1)) == 0.0
