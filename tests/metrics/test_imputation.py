import copy
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
import torch
from gaps import given_observed, linear_gaussian, rows_with_gaps

import xhat
from xhat.core import Batch
from xhat.core.errors import ConfigError, DataError
from xhat.metrics.imputation import impute, impute_draws
from xhat.parts.likelihoods.categorical import Categorical
from xhat.parts.likelihoods.matched import Matched
from xhat.parts.objectives.miwae import without_gaps


@pytest.fixture(scope="module")
def exact():
    model, mean, covariance = linear_gaussian()
    return model, mean, covariance, rows_with_gaps(mean, covariance, 10)


def test_the_filled_value_is_the_conditional_mean(exact):
    model, mean, covariance, batch = exact
    torch.manual_seed(0)
    filled = impute(model, batch, 60_000)
    assert torch.equal(filled[batch.mask], batch.x[batch.mask])
    for x, row, seen in zip(batch.x, filled, batch.mask, strict=True):
        torch.testing.assert_close(row[~seen], given_observed(mean, covariance, x, seen)[1], atol=0.05, rtol=0)


class Fixed:
    """What a decoder says, given beforehand."""

    def __init__(self, mean):
        self.mean = mean.flatten(0, 1)


def test_it_is_the_weighted_mean_whatever_parts_it_comes_in(exact, monkeypatch):
    log_w, means = 30 * torch.randn(50, 3).double(), torch.randn(50, 3, 4).double()  # of weights far apart
    log_w[:7] -= 2000
    batch = Batch(torch.zeros(3, 4).double(), mask=torch.zeros(3, 4, dtype=torch.bool))
    expected = (torch.softmax(log_w, 0)[..., None] * means).sum(0)
    for size in (1, 7, 50):
        parts = [(w, Fixed(mean)) for w, mean in zip(log_w.split(size), means.split(size), strict=True)]
        monkeypatch.setattr("xhat.metrics.imputation._draws", lambda *_, parts=parts: iter(parts))
        torch.testing.assert_close(impute(exact[0], batch, 50), expected)


def test_draws_spread_as_what_is_not_known(exact, monkeypatch):
    model, mean, covariance, batch = exact
    row = Batch(batch.x[2:4], mask=batch.mask[2:4])
    monkeypatch.setattr("xhat.metrics.imputation.TOGETHER", 400)  # several parts
    torch.manual_seed(0)
    drawn = torch.cat([impute_draws(model, row, 40, k=1000) for _ in range(25)])  # (1000, 2, D)
    for i in range(2):
        seen = row.mask[i]
        assert torch.equal(drawn[:, i, seen], row.x[i, seen].expand(1000, -1))
        _, expected, spread = given_observed(mean, covariance, row.x[i], seen)
        values = drawn[:, i, ~seen]
        torch.testing.assert_close(values.mean(0), expected, atol=0.15, rtol=0)
        torch.testing.assert_close(torch.atleast_2d(values.T.cov()), spread, atol=0.3, rtol=0.15)


def test_a_fit_to_gaps_fills_them_nearly_as_the_conditional_mean_does():
    rng = np.random.default_rng(0)
    factors, n = rng.normal(size=(2, 8)), 1200
    x = rng.normal(size=(n, 2)) @ factors + 0.3 * rng.normal(size=(n, 8))
    mask = rng.random((n, 8)) < 0.5
    mask[~mask.any(1), 0] = True
    data = xhat.data.open(np.where(mask, x, np.nan).astype(np.float32), missing=True)
    small = {"net.hidden": [32], "objective.k": 5}
    fitted = xhat.fit(data, "miwae", latent=3, overrides=small, epochs=30, batch_size=32, device="cpu")
    torch.manual_seed(0)
    filled = torch.cat([fitted.scaling.inverse(impute(fitted.model, batch, 300)) for batch in fitted.batches(data)])
    mean, covariance = torch.zeros(8).double(), torch.from_numpy(factors.T @ factors + 0.09 * np.eye(8))
    best = torch.from_numpy(x).clone()
    for row, seen, given in zip(best, torch.from_numpy(mask), torch.from_numpy(x), strict=True):
        row[~seen] = given_observed(mean, covariance, given, seen)[1]
    observed_mean = torch.from_numpy(np.nanmean(np.where(mask, x, np.nan), 0)).expand(n, 8)
    gap = torch.from_numpy(~mask)

    def off(from_, to):
        return float(((from_ - to)[gap] ** 2).mean().sqrt())

    found, mean_fill, floor = (off(value.double(), torch.from_numpy(x)) for value in (filled, observed_mean, best))
    # Found 2026-11-22, in so short a training: 0.78, where the conditional mean leaves 0.65 and the mean 1.32.
    assert found < floor + 0.3 * (mean_fill - floor)
    assert off(filled.double(), best) < 0.5 * off(observed_mean, best)


def test_where_no_draw_is_likely_at_all_q_alone_speaks(exact, monkeypatch):
    model, _, _, batch = exact
    row = Batch(batch.x[2:3].clone(), mask=batch.mask[2:3])
    row.x[0, row.mask[0]] = 1e20  # its density is 0 in 32-bit floats
    model, row = copy.deepcopy(model).float(), Batch(row.x.float(), mask=row.mask)
    monkeypatch.setattr("xhat.metrics.imputation.TOGETHER", 30)  # several parts
    torch.manual_seed(0)
    noise = torch.randn(100, *model.code_shape)
    code = model.encode(without_gaps(row))
    expected = model.decode((code.mean + code.std * noise[:, None]).flatten(0, 1)).mean.mean(0)
    torch.testing.assert_close(
        impute(model, row, 100, noise=noise)[~row.mask], expected[~row.mask[0]], rtol=1e-4, atol=0
    )
    drawn = impute_draws(model, row, 3, k=100)[:, ~row.mask]
    torch.testing.assert_close(drawn, expected[~row.mask[0]].expand_as(drawn), rtol=1e-2, atol=0)


def test_rows_beyond_all_numbers_are_refused_in_one_line(exact):
    model, _, _, batch = exact
    row = Batch(batch.x[2:4].clone(), mask=batch.mask[2:4])
    row.x[0, row.mask[0]] = torch.inf
    for fill in (impute, lambda *arguments: impute_draws(*arguments, 2)):
        with pytest.raises(DataError, match=r"impute: needs rows that are not too far from .*, got 1 that are"):
            fill(model, row, 2)


def test_without_gaps_there_is_nothing_to_fill(exact):
    x = torch.randn(3, 5).double()
    assert torch.equal(impute(exact[0], Batch(x), 2), x)


def test_what_it_refuses(exact):
    model, _, _, batch = exact
    with pytest.raises(ConfigError, match="k must be >= 1, got 0"):
        impute(model, batch, 0)
    with pytest.raises(ConfigError, match="draws must be a whole number >= 1, got 0"):
        impute_draws(model, batch, 0)
    with pytest.raises(ConfigError, match=r"draws must be a whole number >= 1, got 2\.5"):
        impute_draws(model, batch, 2.5)
    for likelihood in (Categorical(5), Matched(Categorical(5))):
        symbols = SimpleNamespace(likelihood=likelihood)
        with pytest.raises(ConfigError, match=r"impute: needs rows of numbers, .* got symbols\. .* impute_draws\."):
            impute(symbols, batch, 2)
    for fill in (impute, lambda *arguments: impute_draws(*arguments, 2)):
        with pytest.raises(ConfigError, match="impute: needs elements in order, and a set has none"):
            fill(SimpleNamespace(likelihood=Matched()), batch, 2)
    plain = tiny.fit("ae", epochs=1)
    with pytest.raises(ConfigError, match=r"needs codes that are distributions, got Code\..*miwae"):
        impute(plain.model, next(plain.batches(tiny.data())), 2)
