"""The search against scikit-learn's own on the same splits, candidates and seeds."""

import warnings

import numpy as np
import pandas
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import xhat
from xhat.core.errors import ConfigError
from xhat.estimators import _fit_together
from xhat.estimators.search import Search

TIMES = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")
VAE = xhat.VAE(2, hidden=(8,), max_iter=2, batch_size=16, random_state=0, device="cpu")
GRID = {"beta": [0.5, 1, 2.0], "learning_rate": [1e-3, 2e-2]}


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(61, 2)) @ rng.normal(size=(2, 5)) + 0.1 * rng.normal(size=(61, 5))).astype(np.float32)


def same(ours, theirs):
    assert set(ours.cv_results_) == set(theirs.cv_results_)
    for name, values in theirs.cv_results_.items():
        if name in TIMES:
            continue
        if name == "params" or name.startswith("param_"):
            assert list(ours.cv_results_[name]) == list(values)
        else:
            assert np.allclose(ours.cv_results_[name], values, rtol=1e-5, atol=1e-5), name
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_index_ == theirs.best_index_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-5)
    assert ours.n_splits_ == theirs.n_splits_


def test_it_finds_what_scikit_learns_search_finds(X, monkeypatch):
    sizes = []
    carried = _fit_together.execute_many
    monkeypatch.setattr(_fit_together, "execute_many", lambda plans: sizes.append(len(plans)) or carried(plans))
    options = {"cv": KFold(2, shuffle=True, random_state=1), "return_train_score": True}
    ours, theirs = Search(VAE, GRID, **options).fit(X), GridSearchCV(VAE, GRID, **options).fit(X)
    same(ours, theirs)
    assert sizes == [12]
    assert np.allclose(ours.transform(X), theirs.transform(X))
    assert ours.score(X) == pytest.approx(theirs.score(X))
    assert ours.n_features_in_ == 5


def test_sizes_and_other_estimators_are_searched_as_well(X):
    pipeline = make_pipeline(StandardScaler(), VAE)
    grid = {"vae__hidden": [(4,), (8,)]}
    same(Search(pipeline, grid, cv=2).fit(X), GridSearchCV(pipeline, grid, cv=2).fit(X))
    frame = pandas.DataFrame(X, columns=list("abcde"))
    found = Search(VAE, {"hidden": [(4,), (8,)]}, cv=2).fit(frame)
    assert list(found.feature_names_in_) == list("abcde")
    assert found.transform(frame).shape == (61, 2)


def test_several_scores_need_a_name_to_refit_by(X):
    scores = {"copies": lambda model, rows: model.score(rows), "size": lambda model, rows: -float(model.beta)}
    found = Search(VAE, {"beta": [1.0, 2.0]}, cv=2, scoring=scores, refit="size").fit(X)
    assert found.best_params_ == {"beta": 1.0}
    assert {"mean_test_copies", "rank_test_size"} <= set(found.cv_results_)
    with pytest.raises(ConfigError, match="Search: refit must name one of several scores, got True"):
        Search(VAE, {"beta": [1.0, 2.0]}, cv=2, scoring=scores).fit(X)


def test_a_candidate_that_fails_costs_its_scores_and_no_more(X):
    grid = {"beta": [1.0, -1.0]}
    failed = pytest.warns(FitFailedWarning, match="2 of 4 fits failed: BetaELBO: beta must be >= 0")
    with pytest.warns(UserWarning, match="test scores are non-finite"), failed:
        found = Search(VAE, grid, cv=2).fit(X)
    assert np.isnan(found.cv_results_["mean_test_score"]).tolist() == [False, True]
    assert found.best_params_ == {"beta": 1.0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConfigError, match="beta must be >= 0"):
            Search(VAE, grid, cv=2, error_score="raise").fit(X)


def test_labels_reach_estimators_that_learn_from_them(X):
    y = X[:, 0] + 2 * X[:, 1]
    found = Search(Ridge(), {"alpha": [1e-3, 1e3]}, cv=3).fit(X, y)
    theirs = GridSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, cv=3).fit(X, y)
    assert np.allclose(found.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


def test_an_unknown_argument_is_scikit_learns_error(X):
    with pytest.raises(ValueError, match="Invalid parameter 'bta'"):
        Search(VAE, {"bta": [1]}, cv=2).fit(X)
