"""Rows that lie far from zero are fitted as well as the same rows near it."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import PCA

import xhat
from xhat.core.errors import ConfigError
from xhat.data.scaling import Scaling
from xhat.metrics.principal_components import PrincipalComponents
from xhat.metrics.reconstruction_error import reconstruction_error
from xhat.models.artifact import save

FAR = 1e8
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 2)) @ RNG.normal(size=(2, 5)) + 0.01 * RNG.normal(size=(120, 5))
# Of 300 s since 1970 32-bit floats keep three.
TIMES = 1_700_000_000 + RNG.integers(0, 300, 120)


def fit(rows, **how):
    return xhat.fit(rows, kind="ae", latent=2, epochs=2, seed=0, **how)


def test_copies_are_as_good_as_those_near_zero_and_as_pca_s():
    near, far = fit(X), fit(X + FAR)
    assert far.summary["error.model"] == pytest.approx(near.summary["error.model"], rel=1e-3)
    assert far.summary["error.pca"] == pytest.approx(near.summary["error.pca"], rel=1e-3)
    copies = far.reconstruct(X + FAR)
    assert copies.dtype == np.float64
    pca = PCA(2).fit(X)
    floor = ((pca.inverse_transform(pca.transform(X)) - X) ** 2).mean()
    # 1e8 itself keeps steps of 1.5e-8: nothing beside this error.
    assert ((copies - (X + FAR)) ** 2).mean() < 1.2 * floor


def test_a_saved_model_reads_and_writes_the_same_digits(tmp_path):
    fitted = fit(X + FAR)
    save(fitted, tmp_path / "run")
    again = xhat.load(tmp_path / "run")
    np.testing.assert_array_equal(again.reconstruct(X + FAR), fitted.reconstruct(X + FAR))


def test_whole_numbers_of_eight_bytes_stay_apart():
    # A second column that is the first: one code dimension copies both.
    rows = np.stack([TIMES, TIMES + 7], 1)
    copies = xhat.fit(rows, kind="ae", latent=1, epochs=2, seed=0).reconstruct(rows)
    assert np.abs(copies - rows).max() < 0.01


def test_rows_of_32_bits_and_bytes_come_back_as_before():
    assert fit(X.astype(np.float32)).reconstruct(X.astype(np.float32)).dtype == np.float32
    assert fit((X * 20 + 128).clip(0, 255).astype(np.uint8)).sample(3).dtype == np.float32


def test_mixed_tables_keep_the_digits_of_their_numbers():
    table = pd.DataFrame({"t": TIMES, "side": np.where(TIMES % 2, "odd", "even")})
    fitted = xhat.fit(table, kind="vae", latent=2, epochs=1, seed=0)
    scaled = torch.cat([batch.x for batch in fitted.batches(xhat.data.open(table))])
    assert len(scaled[:, 0].unique()) == len(np.unique(TIMES))
    np.testing.assert_allclose(scaled[:, 0], (TIMES - TIMES.mean()) / TIMES.std(), atol=0.3)
    drawn = fitted.sample(200, seed=0)["t"]
    assert drawn.dtype == np.int64
    assert drawn.between(TIMES.min(), TIMES.max()).all()
    assert drawn.nunique() > 30


def test_pca_sees_scaled_rows_with_all_their_digits():
    data = xhat.data.open(X + FAR)
    scaling = Scaling.fit("global", data.x)
    mine = PrincipalComponents.fit(data, torch.arange(len(data)), scaling, 5)
    theirs = PCA(5).fit(X / float(scaling.spread))
    np.testing.assert_allclose(mine.variances, theirs.explained_variance_, rtol=1e-3, atol=1e-6)


def test_errors_are_measured_on_the_rows_as_they_came():
    fitted = fit(X + FAR)
    data = xhat.data.open(X + FAR)
    error = reconstruction_error(fitted, data, torch.arange(len(data)))
    assert error == pytest.approx(((fitted.reconstruct(data) - (X + FAR)) ** 2).mean(), rel=1e-6)


def test_no_scale_is_refused_where_32_bits_would_lose_a_column():
    with pytest.raises(ConfigError, match=r"^fit: nets see 32-bit floats.*got --scale none\. Use --scale standard\.$"):
        fit(X + FAR, scale="none")
    assert fit(X, scale="none").scaling.how == "none"


def test_a_mixed_table_is_not_advised_a_scale_that_it_refuses():
    table = pd.DataFrame({"t": TIMES, "side": np.where(TIMES % 2, "odd", "even")})
    with pytest.raises(ConfigError, match=r"Bernoulli: reads data in \[0, 1\].*Leave it out"):
        xhat.fit(table, kind="vae", latent=2, epochs=1, likelihood="bernoulli")
