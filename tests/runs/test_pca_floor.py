import numpy as np
import pytest
import torch
from scipy.stats import ttest_1samp
from sklearn.decomposition import PCA

import xhat
from xhat.estimators.ae import AE
from xhat.runs.pca_floor import _bound
from xhat.runs.verdict import verdict

SHORT = {"epochs": 8, "batch_size": 32}
NARROW = {"net.hidden": (32,)}
QUICKLY = {"overrides": NARROW, "lr": 2e-2, "epochs": 20, "batch_size": 64}
BEND = np.random.default_rng(0).uniform(-1, 1, size=(400, 1))


def gaussian(rows=120, columns=16):
    """Rows that no net can copy better than PCA: linear in two numbers, with noise."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 2)) @ rng.normal(size=(2, columns)) + 0.5 * rng.normal(size=(rows, columns))


def pca_copies(x, k):
    flat = x.reshape(len(x), -1)
    pca = PCA(k).fit(flat)
    return pca.inverse_transform(pca.transform(flat)).reshape(x.shape)


@pytest.mark.parametrize("net", ["mlp", "linear"])
@pytest.mark.parametrize("scale", ["global", "unit", "none"])
def test_of_gaussian_rows_the_model_is_pca_of_all_rows_and_says_so(net, scale):
    x = gaussian()
    fitted = xhat.fit(x, latent=2, net=net, scale=scale, lr=2e-2, **SHORT)
    assert fitted.summary["net_share"] == 0
    assert fitted.summary["error.model"] == fitted.summary["error.pca"]
    np.testing.assert_allclose(fitted.reconstruct(x), pca_copies(x, 2), atol=1e-4)
    assert "Nothing better than PCA was found on validation" in verdict(fitted.summary)
    assert "this model is PCA" in verdict(fitted.summary)


@pytest.mark.parametrize("net", ["conv", "resnet", "patch"])
def test_it_is_pca_beside_any_net(net):
    x = gaussian(60, 64).reshape(60, 8, 8)
    x = (x - x.min()) / (x.max() - x.min())
    data = xhat.data.open(x, kind="image")
    fitted = xhat.fit(data, latent=2, net=net, lr=2e-2, epochs=2, batch_size=32)
    assert fitted.summary["error.model"] <= fitted.summary["error.pca"]
    assert fitted.summary["net_share"] == 0
    np.testing.assert_allclose(fitted.reconstruct(x), pca_copies(x, 2), atol=1e-5)


def test_gaps_and_early_stopping_leave_the_floor_where_it_is():
    x = gaussian()
    x[np.random.default_rng(1).random(x.shape) < 0.1] = np.nan
    data = xhat.data.open(x, missing=True)
    summary = xhat.fit(data, latent=2, lr=5e-2, patience=1, **SHORT).summary
    assert summary["net_share"] == 0
    assert summary["error.model"] == summary["error.pca"]


def test_a_warm_start_falls_back_to_pca_of_the_new_rows():
    model = AE(1, warm_start=True, max_iter=2, hidden=(16,), random_state=0, device="cpu")
    model.fit(np.hstack([BEND, BEND**2] * 8))
    x = gaussian()
    model.fit(x)
    assert model.is_pca_
    np.testing.assert_allclose(model.reconstruct(x), pca_copies(x, 1), atol=1e-4)


def test_a_warm_start_after_pca_has_not_seen_the_rows_that_validate():
    x = gaussian(60, 100)
    model = AE(8, warm_start=True, max_iter=5, hidden=(16,), random_state=0, device="cpu").fit(x)
    assert model.is_pca_
    error = model.fitted_.summary["error.pca"]
    summary = model.fit(x).fitted_.summary
    assert model.is_pca_
    assert summary["error.model"] == summary["error.pca"] == error


def test_what_is_better_beyond_doubt_is_kept():
    summary = xhat.fit(np.hstack([BEND, BEND**2]), latent=1, **QUICKLY).summary
    assert summary["net_share"] > 0
    assert summary["error.model"] < 0.3 * summary["error.pca"]
    assert "this model is PCA" not in verdict(summary)


def test_columns_of_small_numbers_are_learned_beside_large_ones():
    # PCA leaves a hundred-millionth of the spread: the second column, which follows from the first.
    summary = xhat.fit(np.hstack([1e4 * BEND, BEND**2]), latent=1, **QUICKLY).summary
    assert summary["error.pca"] < 1e-7 * summary["error.mean"]
    assert summary["error.model"] < 0.3 * summary["error.pca"]


def test_an_estimator_says_whether_it_is_pca():
    model = AE(2, max_iter=2, hidden=(8,), random_state=0, device="cpu").fit(gaussian())
    assert model.is_pca_
    assert "this model is PCA" in model._html_repr()
    model.partial_fit(gaussian())  # what was said of the model does not hold any more
    assert not model.is_pca_
    assert "this model is PCA" not in model._html_repr()
    bent = AE(1, max_iter=20, hidden=(32,), learning_rate=2e-2, batch_size=64, random_state=0)
    assert not bent.fit(np.hstack([BEND, BEND**2])).is_pca_


FREE = [("dae", {}), ("vae", {"init": "pca"}), ("ae", {"init": "random"}), ("ae", {"likelihood": "laplace"})]


@pytest.mark.parametrize(("kind", "choices"), FREE)
def test_what_is_judged_otherwise_than_pca_promises_nothing(kind, choices):
    assert "net_share" not in xhat.fit(gaussian(), kind, latent=2, overrides=NARROW, epochs=1, **choices).summary


def test_a_gain_is_what_it_is_at_least_by_students_test():
    gains = torch.from_numpy(np.random.default_rng(0).normal(0.2, 1, size=23))
    low = ttest_1samp(gains.numpy(), 0).confidence_interval(1 - 2 * 0.025 / 4).low
    assert _bound(gains) == pytest.approx(low)
    assert _bound(gains[:1]) == 0
