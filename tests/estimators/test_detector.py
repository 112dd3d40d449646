import json
import pickle

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
from xhat.estimators.ae import AE
from xhat.estimators.detector import Detector
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
    scores = detector.score_samples(TRAIN)
    strict = Detector(**detector.get_params() | {"contamination": 0.1}).fit(TRAIN)
    np.testing.assert_array_equal(strict.score_samples(TRAIN), scores)
    assert (strict.predict(TRAIN) == -1).mean() == pytest.approx(0.1)
    assert strict.offset_ == pytest.approx(np.quantile(scores, 0.1))


def test_by_default_one_in_twenty_that_were_held_out_lie_beyond_it(detector):
    origin = detector.fitted_.origin
    held_out = Split.draw(len(TRAIN), 0.1, seed=origin["settings"]["seed"]).validation.numpy()
    assert len(held_out) == 18
    scores = detector.score_samples(TRAIN[held_out])
    assert detector.offset_ == pytest.approx(np.quantile(scores, 0.05), rel=1e-9)


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
    if detector.method in ("reconstruction", "likelihood"):
        assert not parts[np.isnan(gaps)].any()


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
    far = rng.normal(size=(200, 3)) + 8
    assert (detector.predict(far) == -1).all()
    for _ in range(3):
        detector.partial_fit(far)
    assert (detector.predict(far) == -1).mean() == pytest.approx(0.05, abs=0.01)


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


def test_a_single_row_moves_no_threshold():
    for method in METHODS:
        detector = Detector(method=method, **QUICK | {"max_iter": 1}).fit(TRAIN)
        offset = detector.offset_
        assert detector.partial_fit(TRAIN[:1]).offset_ == offset
        assert np.isfinite(detector.score_samples(TEST)).all()


def test_equal_rows_leave_nothing_to_tell():
    for method in METHODS:
        detector = Detector(method=method, **QUICK | {"max_iter": 1}).fit(TRAIN)
        equal = np.repeat(TRAIN[:1], 5, axis=0)
        assert np.isfinite(detector.partial_fit(equal).score_samples(TEST)).all()


def test_few_rows_and_one_feature_are_enough():
    for rows in (np.arange(5.0)[:, None], np.random.default_rng(0).normal(size=(4, 6))):
        for method in METHODS:
            scores = Detector(method=method, max_iter=1, random_state=0).fit(rows).score_samples(rows)
            assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"method": "best"}, "'method' parameter"), ({"contamination": 0.7}, "'contamination' parameter")],
)
def test_bad_arguments_are_refused_in_scikit_learns_words(wrong, says):
    with pytest.raises(ValueError, match=says):
        Detector(**wrong).fit(TRAIN)
