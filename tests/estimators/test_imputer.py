import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import xhat
from xhat.core.errors import DataError, XhatError
from xhat.estimators.imputer import Imputer

# Training begins at the answer of these rows: few steps of it are enough to spoil it.
QUICK = {"hidden": (8,), "max_iter": 2, "batch_size": 64, "draws": 50, "random_state": 0}
# Where a test is not about how many dimensions there are.
TWO = {**QUICK, "n_components": 2}


def linear(n=300, d=8, k=2, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(k, d))
    x = rng.normal(size=(n, k)) @ weights + noise * rng.normal(size=(n, d))
    return x, weights.T @ weights + noise**2 * np.eye(d)


def hide(x, share=0.4, seed=1):
    return np.where(np.random.default_rng(seed).random(x.shape) < share, np.nan, x)


def conditional(covariance, row):
    """E[x_m | x_o] and its covariance of a Gaussian of mean 0."""
    o = ~np.isnan(row)
    gain = covariance[np.ix_(~o, o)] @ np.linalg.inv(covariance[np.ix_(o, o)])
    return gain @ row[o], covariance[np.ix_(~o, ~o)] - gain @ covariance[np.ix_(o, ~o)]


@pytest.fixture(scope="module")
def gaussian():
    x, covariance = linear()
    gaps = hide(10 * x + 5)  # in units of its own
    return 10 * x + 5, gaps, Imputer(**QUICK).fit(gaps), covariance


def off(values, of, gaps):
    return float(((values - of)[np.isnan(gaps)] ** 2).mean())


def test_it_fills_as_the_conditional_mean_does(gaussian):
    x, gaps, imputer, covariance = gaussian
    filled = imputer.transform(gaps)
    best = gaps.copy()
    for row in best:
        mean, _ = conditional(covariance, (row - 5) / 10)
        row[np.isnan(row)] = 10 * mean + 5
    mean_fill = SimpleImputer().fit_transform(gaps)
    assert off(filled, best, gaps) < 0.05 * off(mean_fill, best, gaps)
    assert off(filled, x, gaps) < 1.1 * off(best, x, gaps)


def test_what_was_observed_stays_bit_for_bit(gaussian):
    _, gaps, imputer, _ = gaussian
    filled = imputer.transform(gaps)
    seen = ~np.isnan(gaps)
    assert np.array_equal(filled[seen], gaps[seen])
    assert np.isfinite(filled).all()
    assert filled.dtype == np.float64
    assert imputer.transform(gaps.astype(np.float32)).dtype == np.float32
    assert np.isnan(gaps).any()  # and the caller's array is left as it was


def test_a_rows_answer_does_not_depend_on_the_rows_beside_it(gaussian):
    _, gaps, imputer, _ = gaussian
    np.testing.assert_allclose(imputer.transform(gaps[7:9]), imputer.transform(gaps)[7:9], rtol=1e-9)
    assert np.array_equal(imputer.transform(gaps), imputer.transform(gaps))


def test_the_same_seed_fits_the_same(gaussian):
    _, gaps, imputer, _ = gaussian
    assert np.array_equal(clone(imputer).fit_transform(gaps), imputer.transform(gaps))
    few = gaps[:60]
    first, second = (Imputer(**TWO | {"random_state": seed}).fit_transform(few) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_draws_spread_as_what_is_not_known(gaussian):
    _, gaps, imputer, covariance = gaussian
    row = gaps[[3]]
    draws = np.concatenate([imputer.impute_draws(row, 100, random_state=seed) for seed in range(8)])[:, 0]
    hidden = np.isnan(row[0])
    assert np.array_equal(draws[:, ~hidden], np.repeat(row[:, ~hidden], len(draws), 0))
    mean, spread = conditional(covariance, (row[0] - 5) / 10)
    np.testing.assert_allclose((draws[:, hidden].mean(0) - 5) / 10, mean, atol=0.25)
    np.testing.assert_allclose(draws[:, hidden].std(0) / 10, np.sqrt(np.diag(spread)), rtol=0.35)


def test_draws_follow_their_seed(gaussian):
    _, gaps, imputer, _ = gaussian
    first = imputer.impute_draws(gaps[:5], 3, random_state=0)
    assert first.shape == (3, 5, 8)
    assert np.array_equal(first, imputer.impute_draws(gaps[:5], 3, random_state=0))
    assert not np.array_equal(first, imputer.impute_draws(gaps[:5], 3, random_state=1))


def test_whole_rows_are_learned_from_and_fill_gaps_later():
    x, _ = linear()
    imputer = Imputer(**TWO).fit(x[:200])
    assert np.array_equal(imputer.transform(x), x)
    gaps = hide(x[200:])
    filled = imputer.transform(gaps)
    assert off(filled, x[200:], gaps) < 0.3 * off(SimpleImputer().fit_transform(gaps), x[200:], gaps)


def test_a_row_without_a_value_gets_the_mean(gaussian):
    x, _, imputer, _ = gaussian
    filled = imputer.transform(np.full((1, 8), np.nan))
    np.testing.assert_allclose(filled[0], x.mean(0), atol=0.35 * x.std())


def test_the_indicator_says_where_gaps_were_as_scikit_learns_does():
    x, _ = linear(60, 4)
    gaps = pd.DataFrame(np.where([True, False, True, False], hide(x), x), columns=list("abcd"))
    ours, theirs = Imputer(add_indicator=True, **TWO), SimpleImputer(add_indicator=True)
    np.testing.assert_array_equal(ours.fit_transform(gaps)[:, 4:], theirs.fit_transform(gaps)[:, 4:])
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())
    assert list(ours.set_output(transform="pandas").transform(gaps).columns) == list(theirs.get_feature_names_out())


@pytest.mark.parametrize("keep", [False, True])
def test_a_feature_without_a_value_is_treated_as_scikit_learn_treats_it(keep):
    x, _ = linear(60, 4)
    gaps = hide(x)
    gaps[:, 1] = np.nan
    ours, theirs = Imputer(keep_empty_features=keep, **TWO), SimpleImputer(keep_empty_features=keep)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        filled = ours.fit(gaps).transform(gaps)
    expected = [] if keep else ["Skipping features without any observed values: [1]"]
    assert [str(w.message).partition(". ")[0] for w in told] == expected
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = theirs.fit_transform(gaps)
    assert filled.shape == reference.shape
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())
    if keep:
        assert (filled[:, 1] == 0).all()


def test_it_comes_back_from_the_disk_and_from_a_pickle(tmp_path):
    x, _ = linear(60, 4)
    gaps = pd.DataFrame(hide(x), columns=list("abcd")).assign(b=np.nan)
    with pytest.warns(UserWarning, match="Skipping features"):
        imputer = Imputer(add_indicator=True, **TWO).fit(gaps)
    expected = imputer.transform(gaps)
    imputer.save(tmp_path / "run")
    for other in (Imputer.load(tmp_path / "run"), pickle.loads(pickle.dumps(imputer))):
        assert np.array_equal(other.transform(gaps), expected)
        assert list(other.get_feature_names_out()) == list(imputer.get_feature_names_out())


def test_it_loads_a_run_of_its_kind_and_no_other(tmp_path):
    x, _ = linear(60, 4)
    data = xhat.data.open(hide(x), missing=True)
    xhat.fit(data, "miwae", latent=2, epochs=1, out=tmp_path / "run")
    gaps = hide(x)
    filled = Imputer.load(tmp_path / "run").transform(gaps)
    assert np.array_equal(filled[~np.isnan(gaps)], gaps[~np.isnan(gaps)])
    xhat.fit(data, "ae", latent=2, epochs=1, out=tmp_path / "other")
    with pytest.raises(XhatError, match="reads models of kind miwae, got ae"):
        Imputer.load(tmp_path / "other")


def test_it_lives_in_pipelines_and_searches():
    x, _ = linear(80, 4)
    gaps, y = hide(x), x[:, 0]
    pipe = make_pipeline(Imputer(**TWO), LinearRegression())
    search = GridSearchCV(pipe, {"imputer__n_components": [1, 2]}, cv=2).fit(gaps, y)
    assert search.best_params_["imputer__n_components"] in (1, 2)


@pytest.mark.parametrize("options", [{"init": "random"}, {"likelihood": "gaussian"}, {"n_components": 3}])
def test_its_choices(options):
    x, _ = linear(60, 4)
    gaps = hide(x)
    assert np.isfinite(Imputer(**TWO | options).fit_transform(gaps)).all()


def test_a_value_that_alone_tells_of_its_feature_fills_it():
    x = linear(60, 4)[0]
    x[:, 2] = np.nan
    x[11, 2] = 7.5
    for seed in range(12):  # of which some would hold that row out
        filled = Imputer(**TWO | {"random_state": seed, "max_iter": 1}).fit(x).transform(x)
        np.testing.assert_allclose(filled[:, 2], 7.5)


def test_columns_in_units_of_their_own_are_filled_under_any_scale():
    x = linear(200, 6)[0]
    gaps, units = hide(x, 0.3), np.logspace(-1, 1, 6)
    limit = 0.5 * off(SimpleImputer().fit_transform(gaps), x, gaps)
    for scale in ("standard", "range", "global", "none"):
        filled = Imputer(**TWO | {"scale": scale, "max_iter": 1}).fit_transform(gaps * units) / units
        assert off(filled, x, gaps) < limit, scale
    with pytest.raises(XhatError, match=r"a gaussian has one noise for all columns.*got scale='global'"):
        Imputer(scale="global", likelihood="gaussian", **TWO).fit(gaps)


def test_a_value_far_out_is_no_gap_in_the_answer(gaussian):
    _, gaps, imputer, _ = gaussian
    row = gaps[[3]].astype(np.float32)
    row[0, np.flatnonzero(~np.isnan(row[0]))[0]] = 1e25
    assert np.isfinite(imputer.transform(row)).all()
    drawn = imputer.impute_draws(row, 3, random_state=0)
    assert np.isfinite(drawn).all()
    assert (drawn[:, np.isnan(row)] != 0).all()


def test_nets_without_hidden_layers_fill_as_well():
    gaps = hide(linear(60, 4)[0])
    assert np.isfinite(Imputer(2, net="linear", max_iter=1, random_state=0).fit_transform(gaps)).all()
    with pytest.raises(XhatError, match=r"nets/linear: has no option 'hidden'\. It has none: leave it out\."):
        Imputer(net="linear", **TWO).fit(gaps)


def test_its_page_tells_of_gaps_and_not_of_copies(gaussian):
    assert "It was trained to fill gaps" in gaussian[2]._html_repr()


def test_what_it_refuses():
    with pytest.raises(XhatError, match=r"needs 2 rows to learn from, got 1 of 2\. Give more rows\.$"):
        Imputer(**TWO).fit(np.arange(6.0).reshape(2, 3))
    with pytest.raises(XhatError, match=r"draws must be a whole number >= 1, got 2\.5"):
        Imputer(**TWO).fit(linear(20, 3)[0]).impute_draws(np.ones((1, 3)), n_draws=2.5)
    with pytest.raises(DataError, match=r"Imputer: needs a value in some feature, got NaN only\. Give some values"):
        Imputer(**TWO).fit(np.full((5, 3), np.nan))
    with pytest.raises(ValueError, match="dim 3"):
        Imputer(**TWO).fit(np.zeros((5, 3, 2)))
    with pytest.raises(ValueError, match="'draws' parameter of Imputer must be an int"):
        Imputer(draws=0).fit(np.zeros((5, 3)))
    with pytest.raises(XhatError, match="init=factors: needs rows and codes of one axis"):
        Imputer(**TWO | {"likelihood": "laplace"}).fit(linear(20, 3)[0])
