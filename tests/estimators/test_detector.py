import json
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from xhat.core.errors import ArtifactError, MissingFileError
from xhat.data.split import Split
from xhat.engine.hook import Hook
from xhat.estimators.ae import AE
from xhat.estimators.detector import Detector
from xhat.metrics.abnormality import _code_and_residual
from xhat.metrics.abnormality.methods import METHODS

X, Y = load_breast_cancer(return_X_y=True)
BENIGN, MALIGNANT = X[Y == 1], X[Y == 0]
TRAIN, TEST = BENIGN[:180], np.concatenate([BENIGN[180:], MALIGNANT])
ABNORMAL = np.repeat([0, 1], [len(BENIGN) - 180, len(MALIGNANT)])
QUICK = {"hidden": (16,), "max_iter": 10, "random_state": 0, "device": "cpu"}

# Conventions that `check_estimator` leaves to those who claim them.
MORE = (
    "check_dataframe_column_names_consistency",
    "check_n_features_in_after_fitting",
    "check_param_validation",
    "check_estimators_partial_fit_n_features",
    "check_fit_non_negative",
    "check_non_transformer_estimators_n_iter",
    "check_inplace_ensure_writeable",
    "check_outlier_contamination",
)


@pytest.fixture(scope="module", params=METHODS)
def detector(request):
    return Detector(method=request.param, **QUICK).fit(TRAIN)


def test_tumours_are_found_by_cells_that_have_none(detector):
    assert roc_auc_score(ABNORMAL, -detector.decision_function(TEST)) > 0.9
    assert roc_auc_score(ABNORMAL, -detector.predict(TEST)) > 0.75


def test_parts_sum_to_the_score_and_have_the_rows_shape(detector):
    parts = detector.feature_contributions(TEST)
    assert parts.shape == TEST.shape
    np.testing.assert_allclose(parts.sum(1), -detector.score_samples(TEST), rtol=1e-9)


def test_a_threshold_is_a_share_of_the_fitted_rows(detector):
    strict = Detector(**detector.get_params() | {"contamination": 0.1}).fit(TRAIN)
    scores = strict.score_samples(TRAIN)
    assert (strict.predict(TRAIN) == -1).mean() == pytest.approx(0.1)
    assert strict.offset_ == pytest.approx(np.quantile(scores, 0.1))


def test_by_default_one_in_twenty_lies_beyond_it_of_the_held_out_and_of_the_others(detector):
    split = Split.draw(len(TRAIN), 0.1, seed=detector.fitted_.origin["settings"]["seed"])
    assert len(split.validation) == 18
    scores = detector.score_samples(TRAIN)
    ends = [np.quantile(scores[rows.numpy()], 0.05) for rows in (split.validation, split.train)]
    assert detector.offset_ == pytest.approx(min(ends), rel=1e-8)


def test_saved_loaded_and_pickled_it_says_the_same(detector, tmp_path):
    folder = detector.save(tmp_path / "detector")
    assert {path.suffix for path in folder.iterdir()} == {".json", ".jsonl", ".safetensors"}
    for again in (Detector.load(folder), pickle.loads(pickle.dumps(detector))):
        assert (again.method, again.offset_) == (detector.method, detector.offset_)
        np.testing.assert_array_equal(again.score_samples(TEST), detector.score_samples(TEST))
        np.testing.assert_array_equal(again.feature_contributions(TEST), detector.feature_contributions(TEST))


def test_a_row_is_scored_alone_as_among_others(detector):
    scores = detector.score_samples(TEST)
    np.testing.assert_allclose(detector.score_samples(TEST[7:8]), scores[7:8], rtol=1e-9)
    np.testing.assert_array_equal(detector.score_samples(TEST), scores)


def test_rows_with_gaps_are_scored(detector):
    gaps = TEST.copy()
    gaps[np.random.default_rng(0).random(gaps.shape) < 0.1] = np.nan
    assert np.isfinite(detector.score_samples(gaps)).all()
    parts = detector.feature_contributions(gaps)
    assert not parts[np.isnan(gaps)].any()
    np.testing.assert_allclose(parts.sum(1), -detector.score_samples(gaps), rtol=1e-9)
    gaps[3] = np.nan
    with pytest.raises(ValueError, match="needs some observed value to be scored, got none in row 3"):
        detector.score_samples(gaps)
    with pytest.raises(ValueError, match="needs some observed value to be scored, got none in row 3"):
        Detector(method=detector.method, **QUICK).fit(gaps)


def test_files_that_do_not_fit_are_refused(tmp_path):
    folder = Detector(**QUICK | {"max_iter": 1}).fit(TRAIN).save(tmp_path / "detector")
    path = folder / "detector.json"
    whole = json.loads(path.read_text())
    for change, says in (
        ({"method": "magic"}, "method must be one of neighbours, mahalanobis, reconstruction, likelihood, got magic"),
        ({"format": 2}, "the format must be at most 1, got 2"),
        ({"extra": 1}, "must have the keys format, method, contamination, offset, got extra"),
        ({"offset": "low"}, "offset must be a number"),
        ({"method": "mahalanobis"}, "Mahalanobis: keeps start, mean, root, got rows, scales, v"),
    ):
        path.write_text(json.dumps(whole | change))
        with pytest.raises(ArtifactError, match=says):
            Detector.load(folder)
    path.write_text(json.dumps(whole))
    (folder / "detector.safetensors").write_bytes(b"broken")
    with pytest.raises(ArtifactError, match="is broken"):
        Detector.load(folder)
    (folder / "detector.safetensors").unlink()
    with pytest.raises(MissingFileError, match="is missing"):
        Detector.load(folder)
    path.unlink()
    with pytest.raises(MissingFileError, match=r"detector\.json: is missing: this is no detector"):
        Detector.load(folder)
    with pytest.raises(ValueError, match=r"AE\.load: reads models of kind ae, got dae"):
        AE.load(folder)


def test_more_rows_move_what_is_normal():
    rng = np.random.default_rng(0)
    detector = Detector(method="neighbours", batch_size=32, **QUICK)
    detector.partial_fit(rng.normal(size=(200, 3)))
    far = rng.normal(size=(600, 3)) + 8
    assert (detector.predict(far) == -1).all()
    for rows in np.split(far, 3):
        detector.partial_fit(rows)
    assert (detector.predict(far) == -1).mean() < 0.1


def test_images_are_rows_too():
    images = load_digits().images[:120].astype(np.float32)
    detector = Detector(random_state=0, max_iter=5, hidden=(16,)).fit(images)
    spoiled = images.copy()
    spoiled[:, 0, 0] += 100
    assert (detector.predict(spoiled) == -1).all()
    parts = detector.feature_contributions(spoiled)
    assert parts.shape == images.shape
    assert (parts.reshape(120, -1).argmax(1) == 0).all()


def test_frames_and_pipelines_are_taken():
    frame = pd.DataFrame(TRAIN, columns=[f"f{i}" for i in range(30)])
    pipe = make_pipeline(StandardScaler(), Detector(**QUICK | {"max_iter": 2})).fit(frame)
    assert set(np.unique(pipe.predict(frame))) == {-1, 1}


@pytest.mark.filterwarnings("ignore:X .*feature names")  # the checks mix frames and arrays
@pytest.mark.parametrize("name", MORE)
def test_it_keeps_the_conventions_that_are_not_asked_by_themselves(name):
    getattr(estimator_checks, name)("Detector", Detector(hidden=(8,), max_iter=2))


def test_numpys_and_torchs_random_states_are_not_touched():
    legacy = np.random.get_state
    before, torchs = pickle.dumps(legacy()), torch.get_rng_state()
    Detector(hidden=(8,), max_iter=1).fit(TRAIN).predict(TEST)
    assert pickle.dumps(legacy()) == before
    assert torch.equal(torch.get_rng_state(), torchs)


@pytest.mark.parametrize("method", METHODS)
def test_a_single_row_moves_weights_and_what_they_are_compared_with(method):
    detector = Detector(method=method, **QUICK | {"max_iter": 1}).fit(TRAIN)
    for row in TRAIN[:4]:
        detector.partial_fit(row[None])
    again = METHODS[method].fit(detector.fitted_, detector._opened(np.r_[TRAIN, TRAIN[:4]]))
    stored = detector._judge.abnormality.state()
    if method == "neighbours":  # codes and residuals of the weights as they now are
        np.testing.assert_array_equal(stored["v"], again.state()["v"])
    # Weights that moved by 4 steps leave the share of false alarms where it was.
    assert (detector.predict(TRAIN) == -1).mean() < 0.12
    assert stored.keys() == again.state().keys()


def test_the_rows_that_are_kept_are_the_latest(monkeypatch):
    monkeypatch.setattr(_code_and_residual, "MOST", 100)
    detector = Detector(**QUICK | {"max_iter": 1}).fit(TRAIN)
    assert len(detector._recent) == 100
    detector.partial_fit(TEST[:30])
    assert len(detector._recent) == 100
    np.testing.assert_array_equal(detector._recent[-30:], TEST[:30])


def test_what_was_loaded_judges_by_the_rows_that_it_is_given(tmp_path):
    folder = Detector(**QUICK | {"max_iter": 1}).fit(TRAIN).save(tmp_path / "detector")
    loaded = Detector.load(folder)
    with pytest.raises(ValueError, match=r"Detector\.partial_fit: needs 2 rows to judge by, got 1\. Give more rows"):
        loaded.partial_fit(TRAIN[:1])
    loaded.partial_fit(TRAIN[:90]).partial_fit(TRAIN[90:91])
    assert len(loaded._recent) == 91


def test_rows_that_equal_fitted_ones_are_no_outliers_alone_in_a_batch_and_in_single_precision():
    rows = np.random.default_rng(0).integers(0, 2, (300, 4)).astype(float)
    for method in ("neighbours", "mahalanobis"):
        detector = Detector(method=method, random_state=0, max_iter=3, hidden=(16,)).fit(rows)
        whole = detector.predict(rows)
        assert (whole == -1).mean() <= 0.05
        np.testing.assert_array_equal(
            np.concatenate([detector.predict(rows[i : i + 1]) for i in range(40)]), whole[:40]
        )
        np.testing.assert_array_equal(detector.predict(rows.astype(np.float32)), whole)


@pytest.mark.parametrize("n", [60, 200])
def test_false_alarms_of_a_covariance_are_few_where_rows_are_hardly_more_than_features(n):
    found = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        mixing = rng.normal(size=(30, 30))
        normal, new = rng.normal(size=(n, 30)) @ mixing, rng.normal(size=(1000, 30)) @ mixing
        detector = Detector(method="mahalanobis", **QUICK | {"random_state": seed, "max_iter": 3}).fit(normal)
        found.append((detector.predict(new) == -1).mean())
    assert np.mean(found) < (0.25 if n == 60 else 0.12)


def test_two_values_and_two_rows_have_a_covariance():
    scores = Detector(method="mahalanobis", **QUICK | {"max_iter": 1}).fit(np.tile([[0.0], [1.0]], (50, 1)))
    assert np.isfinite(scores.score_samples(np.array([[0.0], [0.5], [9.0]]))).all()
    assert scores.predict(np.array([[9.0]])) == [-1]


def test_pictures_of_64_by_64_have_neighbours_and_no_covariance():
    pictures = np.random.default_rng(0).random((12, 64, 64)).astype(np.float32)
    short = QUICK | {"hidden": (2,), "max_iter": 1, "n_components": 2, "net": "mlp"}
    assert np.isfinite(Detector(**short).fit(pictures).score_samples(pictures)).all()

    class Never(Hook):
        def on_start(self, *_, **__):
            raise AssertionError("trained before it was refused")

    detector = Detector(**short, callbacks=[Never()]).set_params(method="mahalanobis")
    with pytest.raises(ValueError, match="mahalanobis: needs at most 4096 numbers of code and row together, got 4098"):
        detector.fit(pictures)
    assert not hasattr(detector, "fitted_")


def test_a_fit_that_fails_leaves_the_old_model_with_its_threshold(monkeypatch):
    detector = Detector(**QUICK | {"max_iter": 1}).fit(TRAIN)
    before = dict(vars(detector))

    def fail(*_):
        raise RuntimeError("no room")

    monkeypatch.setattr(METHODS["neighbours"], "fit", fail)
    for learn in (detector.fit, Detector(**QUICK).partial_fit):
        with pytest.raises(RuntimeError, match="no room"):
            learn(TEST[:, :7])
    assert all(vars(detector)[name] is value for name, value in before.items())
    fresh = Detector(**QUICK)
    with pytest.raises(RuntimeError, match="no room"):
        fresh.fit(TRAIN)
    assert not hasattr(fresh, "fitted_")


def test_errors_that_tell_nothing_warn_and_by_default_are_none():
    rows = np.random.default_rng(0).normal(size=(40, 1)) @ np.ones((1, 4))  # one dimension tells all
    with pytest.warns(UserWarning, match="errors of the copies are rounding"):
        Detector(method="reconstruction", n_components=4, learning_rate=1e-12, **QUICK).fit(rows)
    assert Detector(method="reconstruction", **QUICK).fit(TRAIN).n_components_ == 15


def test_equal_rows_leave_nothing_to_tell():
    for method in METHODS:
        detector = Detector(method=method, **QUICK | {"max_iter": 1}).fit(TRAIN)
        equal = np.repeat(TRAIN[:1], 5, axis=0)
        assert np.isfinite(detector.partial_fit(equal).score_samples(TEST)).all()


def test_few_rows_and_one_feature_are_enough():
    for rows in (np.arange(5.0)[:, None], np.random.default_rng(0).normal(size=(4, 6))):
        for method in METHODS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # one feature is copied exactly
                scores = Detector(method=method, max_iter=1, random_state=0).fit(rows).score_samples(rows)
            assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"method": "best"}, "'method' parameter"), ({"contamination": 0.7}, "'contamination' parameter")],
)
def test_bad_arguments_are_refused_in_scikit_learns_words(wrong, says):
    with pytest.raises(ValueError, match=says):
        Detector(**wrong).fit(TRAIN)
