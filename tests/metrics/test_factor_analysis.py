from itertools import pairwise

import numpy as np
import pytest
import torch
from gaps import given_observed
from sklearn.decomposition import FactorAnalysis as Reference

from xhat.core.errors import ConfigError
from xhat.metrics.factor_analysis import LEAST, FactorAnalysis, likely_factors


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
    ours, theirs = (
        FactorAnalysis.fit(x, 2, steps=2000, tolerance=0),
        Reference(2, tol=1e-12, max_iter=5000, svd_method="lapack"),
    )
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
    values = [observed_loglik(FactorAnalysis.fit(x, 2, steps=steps, tolerance=0), x) for steps in (1, 2, 4, 8, 16, 32)]
    assert all(later > earlier for earlier, later in pairwise(values))


def test_the_factors_of_a_whole_row_are_independent():
    fitted = FactorAnalysis.fit(with_gaps(rows()), 3)
    gram = fitted.loadings.T @ (fitted.loadings / fitted.noise[:, None])
    assert (gram - gram.diag().diag()).abs().max() < 1e-8 * gram.max()


def test_as_many_factors_are_likely_as_there_were():
    x = with_gaps(rows(1500, d=10, k=3, seed=1), 0.3)
    assert likely_factors(x, (1, 2, 3, 8)) == 3


def test_a_nearly_empty_column_leaves_the_choice_and_the_answers_as_they_are():
    whole = rows(6000, d=8, k=3, seed=1)
    x = with_gaps(whole, 0.3)
    rare = torch.full((6000, 1), torch.nan).double()
    rare[:3, 0] = torch.tensor([-1.0, 0.0, 1.0])
    beside = torch.cat([x, rare], 1)
    assert likely_factors(beside, (1, 2, 3, 5)) == likely_factors(x, (1, 2, 3, 5)) == 3
    # Rows that alone have it are looked at, wherever they stand: its mean is pulled, and not made up.
    rare[:, 0], rare[5999, 0] = torch.nan, 7.0
    fitted = FactorAnalysis.fit(torch.cat([x, rare], 1), 3)
    assert fitted.mean[8] == pytest.approx(7.0)
    error = (fitted.filled(torch.cat([x, rare], 1))[:, :8] - whole)[x.isnan()].square().mean()
    assert error < 1.02 * (FactorAnalysis.fit(x, 3).filled(x) - whole)[x.isnan()].square().mean()


def test_rows_that_repeat_in_step_are_not_all_alike(monkeypatch):
    monkeypatch.setattr("xhat.metrics.factor_analysis.MOST", 100)
    x = rows(200)
    x[::2] = x[0] + 0.01 * x[::2]  # every second one: were these alone looked at, the mean would be theirs
    assert (FactorAnalysis.fit(x, 2).mean - x.mean(0)).abs().max() < 0.3


def test_units_of_columns_change_nothing():
    x, units = with_gaps(rows()), torch.logspace(-6, 6, 6).double()
    plain, scaled = FactorAnalysis.fit(x, 2), FactorAnalysis.fit(x * units, 2)
    torch.testing.assert_close(scaled.filled(x * units) / units, plain.filled(x), rtol=1e-6, atol=1e-6)
    assert likely_factors(x * units, (1, 2, 4)) == likely_factors(x, (1, 2, 4))


def test_em_stops_where_nothing_changes(monkeypatch):
    steps, step = [], FactorAnalysis._improved
    monkeypatch.setattr(FactorAnalysis, "_improved", lambda self, *given: steps.append(0) or step(self, *given))
    x = rows()
    near, far = FactorAnalysis.fit(x, 2), len(steps)
    whole = FactorAnalysis.fit(x, 2, tolerance=0)
    assert far < 60 < len(steps) - far
    torch.testing.assert_close(near.noise, whole.noise, atol=0.01, rtol=0)


def test_a_column_that_is_known_exactly_and_one_that_is_constant_stay_finite():
    x = rows(50)
    x = torch.cat([x, x[:, :1], torch.zeros(50, 1)], 1)
    fitted = FactorAnalysis.fit(with_gaps(x), 2)
    assert fitted.filled(with_gaps(x)).isfinite().all()
    assert fitted.noise.min() >= 0.8 * LEAST  # of the variance of what was observed


def test_no_factors_are_refused():
    with pytest.raises(ConfigError, match="k must be >= 1, got 0"):
        FactorAnalysis.fit(rows(10), 0)
