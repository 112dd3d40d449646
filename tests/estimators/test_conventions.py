"""scikit-learn's own checks, every one of them, and those that it does not run by itself."""

import pickle

import jaxtyping
import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from xhat.engine.hook import Hook
from xhat.estimators.aae import AAE
from xhat.estimators.ae import AE
from xhat.estimators.dae import DAE
from xhat.estimators.denoiser import Denoiser
from xhat.estimators.detector import Detector
from xhat.estimators.imputer import Imputer
from xhat.estimators.rae import RAE
from xhat.estimators.sae import SAE
from xhat.estimators.tabular_vae import TabularVAE
from xhat.estimators.vae import VAE
from xhat.estimators.vqvae import VQVAE
from xhat.estimators.wae import WAE

# Few steps of a narrow net: what is checked does not depend on how well it fits.
QUICK = {"max_iter": 2, "hidden": (8,)}
STEPS = {"batch_size": 64}
KINDS = (AAE, DAE, Denoiser, RAE, VAE, WAE)
EVERY = [AE(**QUICK, **STEPS), AE(ordered=True, **QUICK, **STEPS), *(kind(**QUICK, **STEPS) for kind in KINDS)]
EVERY += [SAE(8, k=2, max_iter=2, **STEPS), TabularVAE(2, **QUICK, **STEPS), VQVAE(4, entries=8, **QUICK, **STEPS)]
# They give scores and no codes; what they keep beside their model differs.
DETECTORS = [Detector(method=method, **QUICK, **STEPS) for method in ("neighbours", "mahalanobis", "likelihood")]
# What depends on the score; all else is one for all of them.
SCORED = (
    "check_outliers_train",
    "check_outliers_fit_predict",
    "check_estimators_pickle",
    "check_methods_subset_invariance",
    "check_methods_sample_order_invariance",
    "check_dict_unchanged",
    "check_fit_idempotent",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
)
# One output a feature, and no codes.
IMPUTERS = [Imputer(2, draws=16, **QUICK, **STEPS)]
# Conventions that `check_estimator` leaves to those who claim them.
MORE = (
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_dataframe_column_names_consistency",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_get_feature_names_out_error",
    "check_n_features_in_after_fitting",
    "check_param_validation",
    "check_estimators_partial_fit_n_features",
    "check_fit_non_negative",
    "check_non_transformer_estimators_n_iter",
    "check_inplace_ensure_writeable",
)
# Of whoever dresses what comes out, one: those that stand on it have no part in that.
DRESSED = ("check_global_output_transform_pandas", "check_global_set_output_transform_polars")


@pytest.fixture(autouse=True, scope="module")
def _shapes_unchecked():
    """Leave shapes to the other suites: checking them takes longer than these thousands of tiny fits."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


@pytest.fixture(autouse=True)
def _array_api(monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


# A model takes rows of any namespace, whichever it was fitted to, and answers in theirs.
REFUSED = {"check_array_api_same_namespace": "asks estimators to refuse tensors where they were fitted to arrays"}


@parametrize_with_checks([*EVERY, DETECTORS[0], *IMPUTERS], expected_failed_checks=lambda _: REFUSED)
def test_it_keeps_scikit_learns_conventions(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", DETECTORS[1:], ids=lambda estimator: estimator.method)
@pytest.mark.parametrize("name", SCORED)
def test_a_detector_keeps_them_by_any_score(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, clone(estimator))


@pytest.mark.filterwarnings("ignore:X .*feature names")  # the checks mix frames and arrays
@pytest.mark.parametrize("estimator", [*EVERY, *IMPUTERS], ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize("name", MORE)
def test_it_keeps_those_that_are_not_asked_by_themselves(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, clone(estimator))


@pytest.mark.filterwarnings("ignore:X .*feature names")
@pytest.mark.parametrize("estimator", [EVERY[0], Denoiser(**QUICK, **STEPS), *IMPUTERS], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("name", DRESSED)
def test_frames_may_be_asked_of_all_estimators_at_once(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, clone(estimator))


every = pytest.mark.parametrize("estimator", EVERY, ids=lambda estimator: type(estimator).__name__)
# Those without codes as well.
all_kinds = pytest.mark.parametrize(
    "estimator", [*EVERY, DETECTORS[0], *IMPUTERS], ids=lambda estimator: type(estimator).__name__
)
X = np.random.default_rng(0).normal(size=(33, 5))


def answer(model, rows):
    return (model.transform if hasattr(model, "transform") else model.score_samples)(rows)


def quickly(estimator, **arguments):
    return clone(estimator).set_params(random_state=0, device="cpu", **arguments)


@all_kinds
def test_no_global_random_state_is_touched(estimator):
    legacy = np.random.get_state  # the state that numpy's own functions share is what must stay
    before, torchs = pickle.dumps(legacy()), torch.get_rng_state()
    model = clone(estimator).fit(X)
    answer(model, X)
    if hasattr(model, "score"):
        model.score(X)
    if hasattr(model, "inverse_transform"):
        model.sample(2)
    assert pickle.dumps(legacy()) == before
    assert torch.equal(torch.get_rng_state(), torchs)


@every
def test_a_last_batch_of_one_row_harms_nothing(estimator):
    # 31 rows train, in batches of 15, 15 and 1; then a pass over 16 rows, and one over a single row.
    model = quickly(estimator, batch_size=15, validation_fraction=2 / 33).fit(X)
    assert np.isfinite(model.loss_curve_).all()
    model.partial_fit(X[:16]).partial_fit(X[:1])
    assert np.isfinite(model.transform(X)).all()
    assert np.isfinite(model.score(X[:1]))


@all_kinds
def test_sparse_rows_are_told_what_to_do(estimator):
    with pytest.raises(TypeError, match=r"dense data is required\. Use '\.toarray\(\)'"):
        clone(estimator).fit(scipy.sparse.csr_array(X))


@all_kinds
def test_gaps_are_passed_over_and_infinities_refused(estimator):
    gappy = X.copy()
    gappy[::3, 1] = np.nan
    assert np.isfinite(answer(quickly(estimator).fit(gappy), gappy)).all()
    gappy[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        quickly(estimator).fit(gappy)


@every
def test_doubles_give_doubles_and_floats_floats(estimator):
    model = quickly(estimator).fit(X)
    for dtype in (np.float64, np.float32):
        given = model.transform(X.astype(dtype))
        assert given.dtype == dtype
        if hasattr(model, "inverse_transform"):
            assert model.inverse_transform(given).dtype == dtype


@every
def test_a_grid_a_pipe_and_folds_take_it(estimator):
    search = GridSearchCV(quickly(estimator), {"learning_rate": [1e-3, 3e-3]}, cv=2).fit(X)
    assert search.best_estimator_.transform(X).shape[0] == 33
    pipe = make_pipeline(StandardScaler(), quickly(estimator))
    assert np.isfinite(cross_val_score(pipe, X, cv=2)).all()
    union = make_union(StandardScaler(), quickly(estimator)).fit(X)
    assert union.transform(X).shape == (33, 5 + union.transformer_list[1][1].transform(X).shape[1])


@all_kinds
def test_a_model_of_another_device_is_pickled_as_the_cpus(estimator, monkeypatch):
    model = quickly(estimator).fit(X)
    there = torch.device("meta")  # a device that any machine has; nothing on it can be read
    model.fitted_.model.to(there)
    model.fitted_.scaling.to(there)

    def brought(module):
        return module.to_empty(device="cpu")

    monkeypatch.setattr(torch.nn.Module, "cpu", brought)
    again = pickle.loads(pickle.dumps(model)).fitted_
    assert {t.device.type for part in (again.model, again.scaling) for t in part.state_dict().values()} == {"cpu"}
    assert next(model.fitted_.model.parameters()).device == there


def test_a_constructor_only_stores():
    for estimator in EVERY:
        given = estimator.get_params(deep=False)
        made = type(estimator)(**given)
        assert vars(made) == given
        assert all(getattr(made, name) is value for name, value in given.items())


@pytest.mark.parametrize(("name", "value"), [
    ("n_components", 0), ("n_components", -1), ("n_components", "a"), ("validation_fraction", 0),
    ("validation_fraction", 1), ("max_iter", 0), ("batch_size", 0), ("net", "nonsense"), ("likelihood", "nonsense"),
    ("learning_rate", float("nan")), ("n_iter_no_change", 0), ("callbacks", 3), ("early_stopping", "yes"),
])  # fmt: skip
def test_bad_arguments_get_scikit_learns_own_words(name, value):
    for estimator in EVERY:
        who = rf"The '{name}' parameter of {type(estimator).__name__} must be .* Got .* instead\.$"
        with pytest.raises(ValueError, match=who) as caught:
            clone(estimator).set_params(**{name: value}).fit(X)
        assert type(caught.value).__name__ == "InvalidParameterError"
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "value", "words"), [
    ("device", "cuda", "device: must be one that this machine has, got 'cuda'"),
    ("hidden", (8.5,), r"AE: hidden must hold whole numbers >= 1, got \(8\.5,\)"),
    ("callbacks", ["x"], "AE: callbacks must be hooks, got str"),
    ("validation_fraction", 0.97, "AE: needs 2 rows to learn from, got 1 of 33"),
])  # fmt: skip
def test_what_only_the_fit_can_know_gets_one_line_as_well(name, value, words):
    if value == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ValueError, match=words) as caught:
        AE(**QUICK).set_params(**{name: value}).fit(X)
    assert "\n" not in str(caught.value)


def test_a_warm_start_with_another_net_is_refused():
    model = AE(2, warm_start=True, **QUICK).fit(X)
    with pytest.raises(ValueError, match="AE: warm_start continues with the same net on rows of the same shape"):
        model.set_params(hidden=(9,)).fit(X)


def test_extremes_of_how_long_to_train():
    assert len(AE(early_stopping=False, n_iter_no_change=1, max_iter=5, hidden=(4,)).fit(X).loss_curve_) == 5
    short = AE(init="random", n_iter_no_change=1, max_iter=60, learning_rate=1.0, hidden=(4,), random_state=0).fit(X)
    assert len(short.loss_curve_) < 60
    assert AE(validation_fraction=1e-9, **QUICK).fit(X).fitted_.summary["rows.validation"] == 1
    assert AE(batch_size=10**9, **QUICK).fit(X).n_iter_ == 2


def test_callbacks_watch_a_fit():
    class Count(Hook):
        epochs = 0

        def on_epoch(self, training, epoch):
            self.epochs += 1

    count = Count()
    AE(callbacks=[count], **QUICK).fit(X)
    assert count.epochs == 3  # the state before the first step, and two


def test_a_frame_of_the_first_dimensions_has_their_names():
    for kind in ("pandas", "polars"):
        frames = AE(4, ordered=True, **QUICK).fit(X).set_output(transform=kind)
        assert list(frames.transform(X, n_components=2).columns) == ["ae0", "ae1"]
        assert list(frames.transform(X).columns) == ["ae0", "ae1", "ae2", "ae3"]
