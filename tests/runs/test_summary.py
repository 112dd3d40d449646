"""The numbers at the end of a fit, against scikit-learn's PCA and numpy."""

import json

import numpy as np
import pytest
import tiny
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA

import xhat

WINE = load_wine().data.astype(np.float32)  # columns of very different sizes


def scaled(x: np.ndarray, train: np.ndarray, how: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows as the model sees them, and what an element's unit is then worth, by hand in float64."""
    if how == "unit":
        return (x - x.min()) / (x.max() - x.min()), x.max() - x.min()
    spread = train.std(0) if how == "standard" else np.sqrt(train.var(0).mean())
    spread = np.where(spread > 0, spread, 1.0)
    return (x - train.mean(0)) / spread, spread


@pytest.mark.parametrize("scale", ["unit", "global", "standard"])
@pytest.mark.parametrize("rows", [tiny.rows(), WINE], ids=["digits", "table"])
def test_pca_and_the_mean_are_those_of_scikit_learn_and_numpy(rows, scale):
    data = xhat.data.open(rows)
    # Not from PCA: a model that is PCA is PCA of all rows, and its error is given as that of the training rows' PCA.
    fitted = xhat.fit(data, latent=3, scale=scale, init="random", overrides=tiny.NARROW, **tiny.SHORT | {"epochs": 1})
    split = data.split(seed=0)
    x = rows.reshape(len(rows), -1).astype(np.float64)
    train, held = x[split.train], x[split.validation]
    z, unit = scaled(x, train, scale)
    pca = PCA(3, svd_solver="full").fit(z[split.train])
    copies = pca.inverse_transform(pca.transform(z[split.validation]))
    errors = {
        "pca": (((copies - z[split.validation]) * unit) ** 2).mean(),
        "mean": ((held - train.mean(0)) ** 2).mean(),
        "model": ((fitted.reconstruct(rows).reshape(len(rows), -1)[split.validation] - held) ** 2).mean(),
    }
    for name, error in errors.items():
        assert fitted.summary[f"error.{name}"] == pytest.approx(error, rel=1e-4), name
    curve = dict(map(tuple, fitted.summary["pca_curve"]))
    assert (curve[0], curve[3]) == (fitted.summary["error.mean"], fitted.summary["error.pca"])
    assert sorted(curve.values(), reverse=True) == list(curve.values())


@pytest.fixture(scope="module")
def fitted():
    return tiny.fit("vae", epochs=3)


def test_the_keys_that_scripts_rely_on_are_flat(fitted):
    keys = {"error.model", "error.pca", "error.mean", "active", "parameters", "epochs", "seconds"}
    assert keys <= set(fitted.summary)
    assert all(isinstance(fitted.summary[key], float | int) for key in keys)
    assert json.loads(json.dumps(fitted.summary)) == fitted.summary


def test_the_rest_says_what_happened(fitted):
    s = fitted.summary
    assert s["parameters"] == sum(p.numel() for p in fitted.model.parameters())
    assert (s["epochs"], s["code"], s["status"], s["warnings"]) == (3, 4, "finished", [])
    assert (s["rows.train"], s["rows.validation"]) == (180, 20)
    best = fitted.history.best
    assert s["best_epoch"] == best.epoch
    assert s["validation.distortion"] == best.validation["distortion"]
    assert s["validation.rate"] == best.validation["rate"]
    assert s["seconds"] == pytest.approx(fitted.history.seconds, abs=1e-3)


def test_more_code_dimensions_than_the_data_has_are_compared_with_all_of_pca():
    few = WINE[:12, :3]
    summary = xhat.fit(few, latent=5, overrides=tiny.NARROW, **tiny.SHORT | {"batch_size": 5}).summary
    assert summary["error.pca"] < 1e-8 * summary["error.mean"]
    assert summary["warnings"] == ["the code has 5 dimensions and a row only 3: nothing is compressed"]


def test_only_what_was_observed_counts():
    rows = WINE.copy()
    holes = np.random.default_rng(0).random(rows.shape) < 0.1
    rows[holes] = np.nan
    data = xhat.data.open(rows, missing=True)
    fitted = xhat.fit(data, latent=2, scale="standard", init="random", overrides=tiny.NARROW, **tiny.SHORT)
    split = data.split(seed=0)
    held, copies = rows[split.validation], fitted.reconstruct(data)[split.validation]
    assert fitted.summary["error.model"] == pytest.approx(np.nanmean((copies - held.astype(np.float64)) ** 2), rel=1e-4)
    mean = np.nanmean(rows[split.train].astype(np.float64), 0)
    assert fitted.summary["error.mean"] == pytest.approx(np.nanmean((held - mean) ** 2), rel=1e-4)


def test_a_linear_autoencoder_reaches_pca_and_no_more():
    x = np.random.default_rng(0).normal(size=(400, 6)) @ np.diag([5, 4, 1, 0.5, 0.3, 0.1])
    fitted = xhat.fit(x, latent=2, net="linear", epochs=60, batch_size=32, lr=2e-2, device="cpu")
    assert 0.9 < fitted.summary["error.model"] / fitted.summary["error.pca"] < 1.1


def test_a_model_that_begins_at_pca_is_nowhere_worse():
    fitted = tiny.fit(init="pca", lr=1e-30)
    assert fitted.summary["error.model"] == pytest.approx(fitted.summary["error.pca"], rel=1e-4)
