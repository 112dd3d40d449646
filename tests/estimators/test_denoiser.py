import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from xhat.core.errors import ConfigError
from xhat.estimators._noise import _median, axes_above, noise_level
from xhat.estimators.denoiser import Denoiser

DIGITS = load_digits()
X, HELD = DIGITS.data[:500], DIGITS.data[500:700]
RANDOM = np.random.default_rng(0)
NOISY = HELD + 4 * RANDOM.normal(size=HELD.shape)
QUICK = {"hidden": (32,), "random_state": 0, "device": "cpu"}


def error(clean, given):
    return np.mean((clean - given) ** 2)


@pytest.fixture(scope="module")
def denoiser():
    return Denoiser(24, noise=4.0, max_iter=25, **QUICK).fit(X)


def test_it_cleans_better_than_any_number_of_principal_components(denoiser):
    linear = [PCA(k).fit(X) for k in (4, 8, 12, 16, 24, 32)]
    best = min(error(HELD, pca.inverse_transform(pca.transform(NOISY))) for pca in linear)
    assert error(HELD, denoiser.transform(NOISY)) < 0.9 * best
    assert best < error(HELD, NOISY)


def test_noisy_rows_teach_it_as_well():
    noisy = X + 4 * RANDOM.normal(size=X.shape)
    model = Denoiser(max_iter=15, **QUICK).fit(noisy)
    assert model.noise_ == pytest.approx(4, rel=0.25)
    assert error(HELD, model.transform(NOISY)) < 0.6 * error(HELD, NOISY)


def test_the_score_is_the_error_to_clean_rows_or_of_rows_that_it_spoils_itself(denoiser):
    assert denoiser.score(NOISY, HELD) == pytest.approx(-error(HELD, denoiser.transform(NOISY)))
    own = denoiser.score(HELD)
    assert own == denoiser.score(HELD) == denoiser.score(HELD, DIGITS.target[500:700])
    assert own == pytest.approx(denoiser.score(NOISY, HELD), rel=0.1)


def test_noise_is_in_the_rows_own_units(denoiser):
    assert denoiser.noise_ == 4
    scaled = denoiser.fitted_.objective["corruption"]["sigma"]
    assert scaled * float(denoiser.fitted_.scaling.spread) == pytest.approx(4)
    # A power of two changes no digit.
    once, eightfold = (Denoiser(noise=c * 4.0, max_iter=2, **QUICK).fit(c * X) for c in (1, 8))
    assert eightfold.n_components_ == once.n_components_
    np.testing.assert_allclose(eightfold.transform(8 * NOISY), 8 * once.transform(NOISY), rtol=1e-5, atol=1e-4)


def test_a_code_has_room_for_what_rises_above_the_noise():
    quick = QUICK | {"max_iter": 1}
    above = axes_above(X, 4.0)
    assert Denoiser(noise=4.0, **quick).fit(X).n_components_ == 4 * above
    noisy = X + 4 * RANDOM.normal(size=X.shape)
    assert Denoiser(noise=4.0, **quick).fit(noisy).n_components_ == axes_above(noisy, 4.0)
    assert Denoiser(noise=0.01, **quick).fit(X).n_components_ <= 64


def test_hidden_values_come_as_gaps():
    gappy = HELD.copy()
    gappy[RANDOM.random(HELD.shape) < 0.25] = np.nan
    filled = Denoiser(corruption="masking", max_iter=10, **QUICK).fit(X).transform(gappy)
    assert error(HELD, filled) < 0.5 * np.mean((HELD - X.mean(0)) ** 2)


def test_salt_and_pepper_lie_at_the_ends_of_the_rows_range():
    model = Denoiser(24, corruption="salt_and_pepper", noise=0.2, max_iter=10, **QUICK).fit(X)
    spoiled = np.where(RANDOM.random(HELD.shape) < 0.2, RANDOM.choice([0.0, 16.0], HELD.shape), HELD)
    assert error(HELD, model.transform(spoiled)) < 0.7 * error(HELD, spoiled)
    described = model.fitted_.objective["corruption"]
    assert (described["low"], described["high"]) == (0, 1)
    assert model.fitted_.scaling.how == "unit"


def test_images_stay_images():
    images = DIGITS.images[:60]
    model = Denoiser(noise=2.0, max_iter=2, **QUICK).fit(images)
    assert model.transform(images).shape == images.shape


def test_saved_and_loaded_it_says_the_same(tmp_path, denoiser):
    loaded = Denoiser.load(denoiser.save(tmp_path / "model"))
    assert np.array_equal(loaded.transform(NOISY), denoiser.transform(NOISY))
    assert (loaded.corruption, loaded.noise_) == ("gaussian", pytest.approx(4))
    assert loaded.score(HELD) == denoiser.score(HELD)


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(ConfigError, match=r"noise as a share must lie in \(0, 1\], got 3"):
        Denoiser(corruption="masking", noise=3).fit(X)
    with pytest.raises(ConfigError, match="gaussian noise needs a scale that all features share, got standard"):
        Denoiser(scale="standard").fit(X)


@pytest.mark.parametrize("shape", [(900, 40), (200, 200), (100, 300)])
def test_white_noise_is_measured_beside_a_signal_of_few_axes(shape):
    n, d = shape
    random = np.random.default_rng(1)
    rows = 5 * random.normal(size=(n, 3)) @ random.normal(size=(3, d)) + 2 * random.normal(size=(n, d))
    assert noise_level(rows) == pytest.approx(2, rel=0.05)
    assert axes_above(rows, 2.0) == 3


def test_the_median_of_noises_eigenvalues():
    assert _median(1.0) == pytest.approx(0.6528, abs=1e-3)  # Gavish and Donoho's for square matrices
    assert _median(1e-4) == pytest.approx(1, abs=1e-2)


def test_a_notebook_sees_what_is_left_of_the_noise(denoiser, tmp_path):
    summary = denoiser.fitted_.summary
    assert summary["error.spoiled"] == pytest.approx(16, rel=0.05)  # noise of 4
    assert summary["error.cleaned"] == pytest.approx(-denoiser.score(HELD), rel=0.3)
    for model in (denoiser, Denoiser.load(denoiser.save(tmp_path / "model"))):
        page = model._repr_html_()
        assert f"mean squared error of {summary['error.spoiled']:.4g}; cleaned they have" in page
        assert "PCA" not in page
