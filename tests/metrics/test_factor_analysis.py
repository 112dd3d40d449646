from itertools import pairwise

import numpy as np
import pytest
import torch
from gaps import given_observed
from sklearn.decomposition import FactorAnalysis as Reference

from xhat.core.errors import ConfigError
from xhat.metrics.factor_analysis import LEAST, PULL, FactorAnalysis, likely_factors


def rows(n=400, d=6, k=2, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, k)) @ rng.normal(size=(k, d)) + 0.5 * rng.normal(size=(n, d)) + 3
    return torch.from_numpy((x - x.mean(0)) / x.std(0))


def with_gaps(x, share=0.4, seed=0):
    hidden = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)) < share
    return x.masked_fill(hidden, torch.nan)


def test_of_whole_rows_it_is_scikit_learns(monkeypatch):
    monkeypatch.setattr("xhat.metrics.factor_analysis.PULL", 1e-9)
    x = rows()
    ours, theirs = FactorAnalysis.fit(x, 2, steps=2000), Reference(2, tol=1e-12, max_iter=5000, svd_method="lapack")
    theirs.fit(x.numpy())
    covariance = ours.loadings @ ours.loadings.T + torch.diag(ours.noise)
    np.testing.assert_allclose(covariance, theirs.get_covariance(), atol=2e-4)


def test_what_it_fills_in_is_the_conditional_mean():
    x = with_gaps(rows())
    fitted = FactorAnalysis.fit(x, 3)
    covariance = fitted.loadings @ fitted.loadings.T + torch.diag(fitted.noise)
    filled = fitted.filled(x)
    seen = ~x.isnan()
    assert torch.equal(filled[seen], x[seen])
    for i in range(20):
        expected = given_observed(fitted.mean, covariance, x[i], seen[i])[1]
        torch.testing.assert_close(filled[i, ~seen[i]], expected)


def observed_loglik(fitted, x):
    covariance = fitted.loadings @ fitted.loadings.T + torch.diag(fitted.noise)
    return sum(float(given_observed(fitted.mean, covariance, row, ~row.isnan())[0]) for row in x)


def test_each_step_of_em_raises_the_likelihood_of_what_was_observed(monkeypatch):
    monkeypatch.setattr("xhat.metrics.factor_analysis.PULL", 1e-9)
    x = with_gaps(rows(120))
    values = [observed_loglik(FactorAnalysis.fit(x, 2, steps=steps), x) for steps in (1, 2, 4, 8, 16, 32)]
    assert all(later > earlier for earlier, later in pairwise(values))


def test_the_factors_of_a_whole_row_are_independent():
    fitted = FactorAnalysis.fit(with_gaps(rows()), 3)
    gram = fitted.loadings.T @ (fitted.loadings / fitted.noise[:, None])
    assert (gram - gram.diag().diag()).abs().max() < 1e-8 * gram.max()


def test_as_many_factors_are_likely_as_there_were():
    x = with_gaps(rows(1500, d=10, k=3, seed=1), 0.3)
    assert likely_factors(x, (1, 2, 3, 8)) == 3


def test_a_column_that_is_known_exactly_and_one_that_is_constant_stay_finite():
    x = rows(50)
    x = torch.cat([x, x[:, :1], torch.zeros(50, 1)], 1)
    fitted = FactorAnalysis.fit(with_gaps(x), 2)
    assert fitted.filled(with_gaps(x)).isfinite().all()
    assert fitted.noise.min() >= LEAST
    assert PULL > 0


def test_no_factors_are_refused():
    with pytest.raises(ConfigError, match="k must be >= 1, got 0"):
        FactorAnalysis.fit(rows(10), 0)
