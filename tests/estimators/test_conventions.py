"""scikit-learn's own checks, every one of them, and those that it does not run by itself."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from xhat.estimators.aae import AAE
from xhat.estimators.ae import AE
from xhat.estimators.dae import DAE
from xhat.estimators.rae import RAE
from xhat.estimators.sae import SAE
from xhat.estimators.vae import VAE
from xhat.estimators.vqvae import VQVAE
from xhat.estimators.wae import WAE

# Few steps of a narrow net: what is checked does not depend on how well it fits.
QUICK = {"max_iter": 2, "hidden": (8,)}
EVERY = [AE(**QUICK), AE(ordered=True, **QUICK), *(kind(**QUICK) for kind in (AAE, DAE, RAE, VAE, WAE))]
EVERY += [SAE(8, k=2, max_iter=2), VQVAE(4, entries=8, **QUICK)]
# Conventions that `check_estimator` leaves to those who claim them.
MORE = (
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
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


@pytest.fixture(autouse=True)
def _array_api(monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


@parametrize_with_checks(EVERY)
def test_it_keeps_scikit_learns_conventions(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X .*feature names")  # the checks mix frames and arrays
@pytest.mark.parametrize("estimator", EVERY, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize("name", MORE)
def test_it_keeps_those_that_are_not_asked_by_themselves(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, clone(estimator))


@pytest.mark.parametrize("estimator", EVERY, ids=lambda estimator: type(estimator).__name__)
def test_numpys_global_state_is_not_touched(estimator):
    state = np.random.get_state  # the legacy state is what must stay
    before = pickle.dumps(state())
    clone(estimator).fit(np.random.default_rng(0).normal(size=(30, 4))).sample(2)
    assert pickle.dumps(state()) == before
