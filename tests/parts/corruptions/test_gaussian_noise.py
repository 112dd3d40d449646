import pytest
import torch

from xhat.core.errors import ConfigError
from xhat.parts.corruptions.gaussian_noise import GaussianNoise


def test_the_noise_has_mean_zero_and_the_asked_deviation():
    x = torch.rand(200, 200)
    noise = GaussianNoise(0.4)(x) - x
    assert float(noise.mean()) == pytest.approx(0, abs=0.01)
    assert float(noise.std()) == pytest.approx(0.4, rel=0.02)


def test_a_negative_deviation_is_refused():
    with pytest.raises(ConfigError, match="corruptions/gaussian_noise: sigma must be >= 0, got -1"):
        GaussianNoise(-1)
