import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.recipe import Recipe
from xhat.models.recipes.restoration_prior import restoration_prior
from xhat.parts.objectives.noise_levels import NoiseLevels, luminance

TINY = {"widths": (4,), "blocks": 1}


class Watched(nn.Module):
    """In the denoiser's place: keeps what it is shown, and answers by what `answers` makes of it."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    def forward(self, x, sigma):
        self.x, self.sigma = x, sigma
        return self.answers(x, sigma)


def m(sigma):
    return sigma**2 / (1 + 96 * sigma)


def watched(answers, shape=(3, 16, 16)):
    model = restoration_prior(shape, options=TINY).model
    model.decoder.net = Watched(answers)
    return model, model.decoder.net


def test_noise_is_of_the_strength_that_is_told_and_spans_the_range():
    torch.manual_seed(0)
    model, seen = watched(lambda x, _: x)
    x = torch.rand(400, 3, 16, 16)
    NoiseLevels(most=0.2, least=0.01)(model, Batch(x))
    noise = (seen.x - x).flatten(1)
    torch.testing.assert_close(noise.std(1) / seen.sigma, torch.ones(400), atol=0.12, rtol=0)
    assert 0.01 <= seen.sigma.min() < 0.012
    assert 0.19 < seen.sigma.max() <= 0.2
    assert float((seen.sigma < 0.01 + 0.19 / 4).float().mean()) == pytest.approx(0.25, abs=0.07)


def test_leaving_all_of_the_noise_costs_what_the_equation_says():
    torch.manual_seed(0)
    model, seen = watched(lambda x, _: x)
    x = torch.rand(8, 3, 16, 16)
    loss = NoiseLevels()(model, Batch(x)).terms["distortion"]
    error = ((seen.x - x) ** 2).flatten(1).mean(1)
    torch.testing.assert_close(loss, error / (m(seen.sigma) * m(55 / 255)) ** 0.5, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("sigma", "psnr"), [(15, 32.37), (25, 29.97), (50, 26.72)])
def test_what_is_expected_is_what_bm3d_reaches_on_set12(sigma, psnr):
    assert m(sigma / 255) == pytest.approx(10 ** (-psnr / 10), rel=0.15)


@pytest.mark.parametrize("sigma", [0.05, 0.15])
def test_the_best_answer_is_the_posterior_mean(sigma):
    # x ~ N(0, s²): the least error of answers a·x̃ is at Wiener's a = s²/(s² + σ²).
    torch.manual_seed(0)
    s, shares = 0.1, torch.linspace(0, 1, 41)
    x = s * torch.randn(64, 3, 16, 16)
    losses = []
    for share in shares:
        torch.manual_seed(1)
        model, _ = watched(lambda seen, _, share=share: share * seen)
        losses.append(NoiseLevels(most=sigma, least=sigma)(model, Batch(x)).total)
    best = float(shares[torch.stack(losses).argmin()])
    assert best == pytest.approx(s**2 / (s**2 + sigma**2), abs=0.03)


def test_some_images_are_shown_gray_with_one_noise_for_all_channels():
    torch.manual_seed(0)
    model, seen = watched(lambda x, _: x)
    x = torch.rand(200, 3, 8, 8)
    loss = NoiseLevels(gray=0.3)(model, Batch(x)).terms["distortion"]
    gray = (seen.x == seen.x[:, :1]).flatten(1).all(1)
    assert 0.2 < gray.float().mean() < 0.4
    noise = seen.x[gray] - luminance(x[gray])
    torch.testing.assert_close(noise.flatten(1).std(1) / seen.sigma[gray], torch.ones(len(noise)), atol=0.4, rtol=0)
    # They are judged by their gray originals: all that is left is the noise.
    error = (noise**2).flatten(1).mean(1)
    torch.testing.assert_close(loss[gray], error / (m(seen.sigma[gray]) * m(55 / 255)) ** 0.5)


def test_luminance_is_that_of_pillow():
    x = torch.randint(0, 256, (1, 3, 5, 4), dtype=torch.uint8)
    theirs = torch.tensor(np.asarray(Image.fromarray(x[0].permute(1, 2, 0).numpy()).convert("L")))
    assert (luminance(x.float())[0, 0] - theirs).abs().max() < 1


def test_bad_arguments_are_refused():
    with pytest.raises(ConfigError, match=r"NoiseLevels: most and least must be strengths of noise, .* got 0\.1 and 0"):
        NoiseLevels(most=0.1, least=0.0)
    with pytest.raises(ConfigError, match=r"gray must lie in \[0, 1\], got 2"):
        NoiseLevels(gray=2)
    model = restoration_prior((1, 8, 8), options=TINY).model
    with pytest.raises(ConfigError, match=r"gray versions are of images of 3 channels, got \(1, 8, 8\)"):
        Recipe(model, NoiseLevels(gray=0.5))
