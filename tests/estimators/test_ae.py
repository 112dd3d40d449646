import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import xhat
from xhat.core.errors import ConfigError, DataError
from xhat.estimators.ae import AE
from xhat.estimators.vae import VAE

X = load_digits().data[:400]
QUICK = {"hidden": (16,), "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def ordered():
    return AE(6, ordered=True, max_iter=30, **QUICK).fit(X)


def test_it_is_never_worse_than_pca_on_validation():
    summary = AE(4, max_iter=2, **QUICK).fit(X).fitted_.summary
    assert summary["error.model"] <= summary["error.pca"] * (1 + 1e-6)


def test_ordered_codes_are_cut_as_pcas_are(ordered):
    whole = ordered.transform(X)
    assert np.array_equal(ordered.transform(X, n_components=2), whole[:, :2])
    copies = ordered.inverse_transform(whole[:, :2])
    error = np.mean((X - copies) ** 2)
    assert ordered.error_curve(X)[2] == pytest.approx(error, rel=1e-4)
    with pytest.raises(ConfigError, match="n_components must be from 1 to 6, got 7"):
        ordered.transform(X, n_components=7)


def test_the_error_falls_with_the_dimensions_kept(ordered):
    curve = ordered.error_curve(X)
    assert (np.diff(curve) < 0).all()
    assert curve[-1] == pytest.approx(-ordered.score(X), rel=1e-4)
    assert curve[0] > np.mean((X - PCA(1).fit(X).inverse_transform(PCA(1).fit_transform(X))) ** 2)


def test_a_share_of_the_variance_chooses_the_dimensions():
    few, many = (AE(share, ordered=True, max_iter=15, **QUICK).fit(X) for share in (0.3, 0.6))
    assert 1 <= few.n_components_ < many.n_components_
    assert few.transform(X).shape == (400, few.n_components_)
    assert len(few.get_feature_names_out()) == few.n_components_
    with pytest.raises(ConfigError, match=r"n_components must be a whole number, got 0\.5"):
        AE(0.5).fit(X)


def test_partial_fit_goes_on_where_it_was():
    model = AE(4, batch_size=32, **QUICK)
    errors = [-model.partial_fit(X).score(X) for _ in range(15)]
    assert errors[-1] < 0.9 * errors[0]
    assert model.n_iter_ == 15
    # The prior was fitted to the codes: samples lie where rows lie.
    assert np.abs(model.sample(200, 0).mean(0) - X.mean(0)).mean() < 0.5
    fitted = AE(4, max_iter=2, **QUICK).fit(X)
    before = fitted.score(X)
    for _ in range(15):
        fitted.partial_fit(X)
    assert fitted.score(X) > before


def test_a_model_of_a_frame_refuses_columns_in_another_order(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)), columns=list("abc"))
    AE(2, max_iter=1, hidden=(8,), random_state=0).fit(frame).save(tmp_path / "run")
    fitted = xhat.load(tmp_path / "run")
    assert fitted.encode(frame).shape == fitted.encode(frame.to_numpy()).shape == (40, 2)
    with pytest.raises(DataError, match="the model reads column 'a' at place 0; this data has 'c' there"):
        fitted.encode(frame[list("cba")])


def test_a_warm_start_begins_at_the_weights_that_were(monkeypatch):
    model = AE(4, max_iter=5, warm_start=True, **QUICK).fit(X)
    end = model.validation_curve_[-1]
    assert model.fit(X).validation_curve_[0] == pytest.approx(min(end, model.validation_curve_[0]), rel=0.05)


def test_gaps_are_learned_around():
    gappy = X.copy()
    gappy[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    model = AE(4, max_iter=3, **QUICK).fit(gappy)
    assert np.isfinite(model.transform(gappy)).all()
    assert np.isfinite(model.score(gappy))


def test_scikit_learns_tools_take_it():
    search = GridSearchCV(AE(max_iter=2, **QUICK), {"n_components": [1, 4]}, cv=2).fit(X)
    assert search.best_params_ == {"n_components": 4}
    pipe = make_pipeline(StandardScaler(), AE(3, max_iter=2, **QUICK))
    assert clone(pipe).fit_transform(X).shape == (400, 3)
    columns = ColumnTransformer([("half", AE(2, max_iter=2, **QUICK), list(range(32)))], remainder="drop")
    assert columns.fit_transform(X).shape == (400, 2)


def test_images_stay_images():
    images = load_digits().images[:100]
    model = AE(3, max_iter=2, **QUICK).fit(images)
    assert model.transform(images).shape == (100, 3)
    assert model.reconstruct(images).shape == images.shape


def test_saved_and_loaded_it_says_the_same(tmp_path, ordered):
    model = AE.load(ordered.save(tmp_path / "model"))
    np.testing.assert_array_equal(model.transform(X, n_components=2), ordered.transform(X, n_components=2))
    with pytest.raises(ConfigError, match=r"VAE\.load: reads models of kind vae, got ordered"):
        VAE.load(tmp_path / "model")


def test_a_notebook_sees_the_verdict_and_some_copies(ordered):
    page = ordered._repr_html_()
    assert "of the variance with 6 numbers a row" in page
    assert "data:image/png;base64," in page


def test_a_vaes_score_is_a_density_of_the_datas_own_units():
    model = VAE(2, max_iter=10, **QUICK).fit(X)
    scores = model.score_samples(X)
    assert np.array_equal(scores, model.score_samples(X))
    np.testing.assert_allclose(model.score_samples(X[5:7]), scores[5:7], rtol=1e-7)
    # Twice the unit: a density of D dimensions falls by 2^D.
    double = VAE(2, max_iter=10, **QUICK).fit(2 * X)
    np.testing.assert_allclose(double.score_samples(2 * X), scores - 64 * np.log(2), rtol=1e-3)


def test_a_vaes_score_hardly_depends_on_the_precision_of_rows():
    model = VAE(2, max_iter=3, **QUICK).fit(X)
    np.testing.assert_allclose(model.score_samples(X.astype(np.float32)), model.score_samples(X), atol=1e-2)


def test_rows_that_are_all_alike_have_no_variance_to_explain(ordered):
    assert 0 < ordered.explained_variance_ratio(X) < 1
    for rows in (X[:1], np.repeat(X[:1], 3, axis=0)):
        with pytest.warns(UndefinedMetricWarning, match="is not well-defined where no feature varies"):
            assert np.isnan(ordered.explained_variance_ratio(rows))


def test_outliers_score_lower():
    scores = AE(8, max_iter=20, **QUICK).fit(X).score_samples(np.vstack([X[:50], 16 - X[:50]]))
    assert scores[:50].min() > scores[50:].max()


def test_a_notebooks_words_are_pythons_and_its_lines_are_told():
    short = AE(2, max_iter=1, init="random", learning_rate=1e-9, **QUICK).fit(X)
    page = short._repr_html_()
    assert "lower learning_rate" in page
    assert "--lr" not in page
    assert "grey: rows; blue: their copies<" in page
    assert (
        "each feature on a range of its own" in AE(2, max_iter=1, **QUICK).fit(X * 2.0 ** np.arange(64))._repr_html_()
    )
