"""Estimators that were saved, loaded and fitted before go on as themselves."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

import xhat
from xhat.core.errors import ArtifactError, ConfigError
from xhat.estimators.aae import AAE
from xhat.estimators.ae import AE
from xhat.estimators.dae import DAE
from xhat.estimators.denoiser import Denoiser
from xhat.estimators.detector import Detector
from xhat.estimators.imputer import Imputer
from xhat.estimators.sae import SAE
from xhat.estimators.tabular_vae import TabularVAE
from xhat.estimators.vae import VAE
from xhat.estimators.vqvae import VQVAE

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 5))
FRAME = pd.DataFrame({"pet": RANDOM.choice(["cat", "dog"], 60), "age": RANDOM.normal(size=60)})
QUICK = {"hidden": (8,), "max_iter": 3, "random_state": 3, "device": "cpu"}
KINDS = [
    AE(3, learning_rate=np.float64(1e-3), n_iter_no_change=7, **QUICK),
    AE(0.5, ordered=True, **QUICK),
    AAE(**QUICK),
    SAE(8, k=2, max_iter=3, random_state=3, device="cpu"),
    VAE(beta=xhat.linear(0, 1, epochs=2), **QUICK),
    VQVAE(4, entries=8, **QUICK),
    TabularVAE(5, beta=1.0, **QUICK),
    Denoiser(noise=0.2, **QUICK),
    Detector(method="mahalanobis", contamination=0.2, **QUICK),
    Imputer(draws=16, k=3, **QUICK),
]
every = pytest.mark.parametrize("estimator", KINDS, ids=lambda estimator: type(estimator).__name__)


def weights(model):
    return {name: value.clone() for name, value in model.model_.state_dict().items()}


@every
def test_a_loaded_estimator_is_the_one_that_was_saved(estimator, tmp_path):
    model = clone(estimator).fit(X)
    again = type(model).load(model.save(tmp_path / "model"))
    told, was = again.get_params(), model.get_params()
    assert {name for name in was if told[name] != was[name]} <= {"beta"}
    assert repr(told.get("beta")) == repr(was.get("beta"))  # schedules are equal in what they say
    assert again.n_components_ == model.n_components_
    curves = ("n_iter_", "loss_curve_", "validation_curve_")
    assert [getattr(again, name) for name in curves] == [getattr(model, name) for name in curves]
    anew, clones = model.fit(X), clone(again).fit(X)
    assert all(torch.equal(value, weights(clones)[name]) for name, value in weights(anew).items())


@every
def test_a_loaded_estimator_learns_on_as_the_saved_one_does(estimator, tmp_path):
    model = clone(estimator).fit(X)
    again = type(model).load(model.save(tmp_path / "model"))
    before, still = weights(again), {name for name, p in model.model_.named_parameters() if not p.requires_grad}
    for one in (model, again):
        state = torch.get_rng_state()
        one.partial_fit(X).partial_fit(X)
        assert one.n_iter_ == 5
        assert torch.equal(torch.get_rng_state(), state)
    after = weights(again)
    moved = {name for name, p in again.model_.named_parameters() if not torch.equal(p, before[name])}
    assert moved
    assert not moved & still
    assert all(torch.equal(value, after[name]) for name, value in weights(model).items())
    twice = type(model).load(again.save(tmp_path / "again"))
    assert twice.n_iter_ == 5


@every
def test_a_loaded_estimator_starts_warm(estimator, tmp_path):
    model = clone(estimator).fit(X)
    again = type(model).load(model.save(tmp_path / "model")).set_params(warm_start=True)
    again.fit(X)
    assert again.validation_curve_[0] == pytest.approx(model.set_params(warm_start=True).fit(X).validation_curve_[0])


def test_what_starts_from_data_is_not_begun_again(tmp_path):
    model = TabularVAE(2, **QUICK).fit(FRAME)
    base = model.model_.likelihood.base.clone()
    other = FRAME.assign(age=3 * FRAME["age"] + 1)
    assert not torch.equal(TabularVAE(2, **QUICK).fit(other.assign(age=other["age"] ** 2)).model_.likelihood.base, base)
    again = TabularVAE.load(model.save(tmp_path / "model"))
    assert torch.equal(again.partial_fit(other).model_.likelihood.base, base)
    assert torch.equal(model.partial_fit(other).model_.likelihood.base, base)
    warm = model.set_params(warm_start=True).fit(other.assign(age=other["age"] ** 2))
    assert torch.equal(warm.model_.likelihood.base, base)


def test_units_that_start_at_rows_stay_in_a_warm_start():
    model = SAE(8, k=2, max_iter=3, learning_rate=1e-9, warm_start=True, random_state=0).fit(X)
    name = next(name for name, p in model.model_.named_parameters() if p.ndim == 2)
    first = weights(model)[name]
    np.testing.assert_allclose(weights(model.fit(X[::-1].copy()))[name], first, atol=1e-5)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (FRAME.replace({"dog": "ant"}), "column 'pet' of ant, cat where there was column 'pet' of cat, dog"),
        (FRAME.rename(columns={"age": "old"}), "column 'old' of numbers where there was column 'age' of numbers"),
        (FRAME[["age", "pet"]], "column 'age' of numbers where there was column 'pet' of cat, dog"),
    ],
)
def test_a_warm_start_on_other_columns_or_categories_is_refused(other, says):
    model = TabularVAE(2, warm_start=True, **QUICK).fit(FRAME)
    rule = "TabularVAE: warm_start continues with the same columns and categories, got "
    with pytest.raises(ConfigError, match=rule + says) as caught:
        model.fit(other)
    assert "\n" not in str(caught.value)
    assert model.fit(FRAME).n_iter_ == 3


def test_of_a_run_folder_the_arguments_are_what_it_tells(tmp_path):
    told = {"epochs": 2, "lr": 1e-3, "device": "cpu", "overrides": {"net.hidden": (16, 8)}}
    xhat.fit(X, "vae", latent=3, net="mlp", out=tmp_path / "run", **told)
    model = VAE.load(tmp_path / "run")
    assert (model.n_components, model.hidden, model.net, model.max_iter) == (3, (16, 8), "mlp", 2)
    assert (model.learning_rate, model.n_iter_, len(model.loss_curve_)) == (1e-3, 2, 2)
    model.partial_fit(X).set_params(warm_start=True).fit(X)


def test_arguments_of_another_class_are_not_taken_for_its_own(tmp_path):
    folder = Denoiser(4, corruption="masking", noise=0.5, **QUICK).fit(X).save(tmp_path / "model")
    model = DAE.load(folder)
    assert (model.n_components, model.hidden, model.random_state) == (4, (8,), None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"params": {"colour": 1}}, r"config\.json: AE has no such argument, got colour\. Install the xhat that wrote"),
        (
            {"params": {"max_iter": -1}},
            r"config\.json: holds arguments that cannot be \(The 'max_iter' parameter of AE",
        ),
        ({"more": 1}, r"config\.json: origin\.estimator must have the keys class, params, n_iter\. Restore the folder"),
        ({"n_iter": "many"}, r"config\.json: origin\.estimator must have the keys"),
    ],
)
def test_an_edited_record_is_refused_in_one_line(change, says, tmp_path):
    config = AE(2, **QUICK).fit(X).save(tmp_path / "model") / "config.json"
    described = json.loads(config.read_text())
    described["origin"]["estimator"] |= change
    config.write_text(json.dumps(described))
    with pytest.raises(ArtifactError, match=says) as caught:
        AE.load(tmp_path / "model")
    assert "\n" not in str(caught.value)
