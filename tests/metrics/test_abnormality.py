"""Scores against closed forms: a linear autoencoder made by hand, whose codes and copies are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors

import xhat
from xhat.core.errors import ArtifactError, ConfigError, DataError
from xhat.data.scaling import Scaling
from xhat.metrics.abnormality import _code_and_residual
from xhat.metrics.abnormality.likelihood import Likelihood
from xhat.metrics.abnormality.mahalanobis import Mahalanobis
from xhat.metrics.abnormality.methods import METHODS
from xhat.metrics.abnormality.neighbours import Neighbours
from xhat.metrics.abnormality.reconstruction import Reconstruction
from xhat.models.autoencoder import Autoencoder
from xhat.models.fitted import Fitted
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder

D, K, SIGMA = 5, 2, 0.5
RNG = np.random.default_rng(0)
SPREAD = RNG.uniform(0.5, 2, D)
AXES = np.linalg.qr(RNG.normal(size=(D, D)))[0][:K]  # (K, D)
NORMAL, OTHERS = RNG.normal(size=(80, D)) @ RNG.normal(size=(D, D)), 2 * RNG.normal(size=(30, D))


@pytest.fixture(scope="module")
def case():
    """A projection to K axes of rows in units of their own, and its codes and residuals by numpy."""
    encoder, decoder = LinearEncoder((D,), (K,)), LinearDecoder((K,), (D,))
    axes = torch.from_numpy(AXES).float()
    with torch.no_grad():
        encoder.start(axes, torch.zeros(K))
        decoder.start(axes.T, torch.zeros(D))
    scaling = Scaling("standard", (D,))
    scaling.spread.copy_(torch.from_numpy(SPREAD))
    model = Autoencoder(encoder, Plain((K,)), decoder, Gaussian(SIGMA)).double().eval()
    data = xhat.data.open(NORMAL, kind="table")
    fitted = Fitted(model, scaling.double(), data.schema, {"kind": "none"}, origin={"shapes_prior": False})

    def see(rows):
        x = rows / scaling.spread.numpy()
        z = x @ axes.numpy().T.astype(float)
        return SimpleNamespace(x=x, z=z, r=x - z @ axes.numpy())

    return SimpleNamespace(fitted=fitted, normal=data, others=xhat.data.open(OTHERS, kind="table"), see=see)


def values(tensor):
    return tensor.numpy()


def test_reconstruction_is_the_mean_squared_residual(case):
    seen = case.see(OTHERS)
    np.testing.assert_allclose(
        values(Reconstruction().parts(case.fitted, case.others)), seen.r**2 / D, rtol=1e-5, atol=1e-6
    )


def test_likelihood_is_a_density_of_the_datas_own_units(case):
    seen = case.see(OTHERS)
    copies = (seen.x - seen.r) * SPREAD
    expected = -norm.logpdf(OTHERS.astype(np.float32), copies, SIGMA * SPREAD)  # (N, D)
    np.testing.assert_allclose(values(Likelihood().parts(case.fitted, case.others)), expected, rtol=1e-5, atol=1e-5)


def test_mahalanobis_is_scikit_learns_distance_in_blocks_of_one_size(case):
    normal, others = case.see(NORMAL), case.see(OTHERS)
    sizes = [np.sqrt(part.var(0).sum()) for part in (normal.z, normal.r)]
    learned, asked = (np.c_[seen.z / sizes[0], seen.r / sizes[1]] for seen in (normal, others))
    expected = LedoitWolf().fit(learned).mahalanobis(asked)
    found = values(Mahalanobis.fit(case.fitted, case.normal).score(case.fitted, case.others))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_neighbours_is_the_distance_to_the_nearest_in_both(case):
    normal, others = case.see(NORMAL), case.see(OTHERS)
    sizes = [np.sqrt(part.var(0).sum()) for part in (normal.z, normal.r)]
    learned, asked = (np.c_[2 * seen.z / sizes[0], seen.r / sizes[1]] for seen in (normal, others))
    score = Neighbours.fit(case.fitted, case.normal)
    nearest = NearestNeighbors(n_neighbors=2).fit(learned)
    found = values(score.score(case.fitted, case.others))
    np.testing.assert_allclose(found, nearest.kneighbors(asked)[0][:, 0] ** 2, rtol=1e-5)
    # A normal row is not its own neighbour.
    found = values(score.score(case.fitted, case.normal))
    np.testing.assert_allclose(found, nearest.kneighbors(learned)[0][:, 1] ** 2, rtol=1e-5)


def test_a_row_that_is_there_twice_is_near_to_its_double(case):
    twice = xhat.data.open(np.r_[NORMAL, NORMAL[:1]], kind="table")
    scores = values(Neighbours.fit(case.fitted, twice).score(case.fitted, twice))
    np.testing.assert_allclose(scores[[0, -1]], 0, atol=1e-12)
    assert (scores[1:-1] > 1e-6).all()


@pytest.mark.parametrize("method", METHODS)
def test_parts_sum_to_the_score(case, method):
    score = METHODS[method].fit(case.fitted, case.normal)
    parts, whole = score.parts(case.fitted, case.others), score.score(case.fitted, case.others)
    assert parts.shape == (30, D)
    np.testing.assert_allclose(values(parts.sum(1)), values(whole), rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_what_was_spoiled_is_named(case, method):
    spoiled = NORMAL.copy()
    spoiled[:, 3] += 50 * SPREAD[3]
    score = METHODS[method].fit(case.fitted, case.normal)
    parts = score.parts(case.fitted, xhat.data.open(spoiled, kind="table"))
    if method in ("neighbours", "mahalanobis"):  # errors of a projection are spread by it over all features
        assert (parts.argmax(1) == 3).all()
    assert (score.score(case.fitted, xhat.data.open(spoiled, kind="table")) > 10).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_row_is_scored_alone_as_among_others_and_after_its_state_was_kept(case, method):
    score = METHODS[method].fit(case.fitted, case.normal)
    whole = score.score(case.fitted, case.others)
    alone = torch.cat([score.score(case.fitted, case.others.subset(torch.tensor([i]))) for i in range(5)])
    np.testing.assert_allclose(values(alone), values(whole[:5]), rtol=1e-12)
    again = METHODS[method].restore({name: value.clone() for name, value in score.state().items()})
    assert torch.equal(again.score(case.fitted, case.others), whole)


@pytest.mark.parametrize("method", METHODS)
def test_what_was_not_observed_adds_no_residual(case, method):
    gaps = OTHERS.copy()
    gaps[:, 1] = np.nan
    opened = xhat.data.open(gaps, kind="table", missing=True, to_learn=False)
    parts = METHODS[method].fit(case.fitted, case.normal).parts(case.fitted, opened)
    assert torch.isfinite(parts).all()
    assert not parts[:, 1].any()
    score = METHODS[method].fit(case.fitted, case.normal).score(case.fitted, opened)
    np.testing.assert_allclose(values(parts.sum(1)), values(score), rtol=1e-9)
    if method == "reconstruction":
        expected = (np.delete(case.see(np.nan_to_num(gaps)).r, 1, axis=1) ** 2).mean(1)
        np.testing.assert_allclose(values(parts.sum(1)), expected, rtol=1e-5)


def test_what_pads_a_row_has_no_part():
    series = xhat.data.open([RNG.normal(size=(n, 2)) for n in (5, 3, 5, 4, 2, 5, 4, 3) * 3], kind="series")
    model = xhat.fit(series, latent=2, epochs=1, overrides={"net.hidden": (4,)}, device="cpu")
    for method in ("neighbours", "mahalanobis", "reconstruction"):
        score = METHODS[method].fit(model, series)
        parts = score.parts(model, series)
        assert not parts[~series.mask].any()
        np.testing.assert_allclose(values(parts.flatten(1).sum(1)), values(score.score(model, series)), rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_row_of_which_nothing_was_observed_is_refused(case, method):
    gaps = OTHERS.copy()
    gaps[7] = np.nan
    opened = xhat.data.open(gaps, kind="table", missing=True, to_learn=False)
    with pytest.raises(DataError, match="needs some observed value to be scored, got none in row 7"):
        METHODS[method].fit(case.fitted, case.normal).score(case.fitted, opened)


def test_repeated_rows_are_at_no_distance_alone_in_a_batch_and_in_single_precision(case):
    grid = RNG.integers(0, 2, (300, D)).astype(float)
    score = Neighbours.fit(case.fitted, xhat.data.open(grid, kind="table"))
    for rows in (grid, grid[:1], grid[5:6], grid.astype(np.float32), grid[:7].astype(np.float32)):
        assert not score.score(case.fitted, xhat.data.open(rows, kind="table", to_learn=False)).any()
        assert not score.parts(case.fitted, xhat.data.open(rows, kind="table", to_learn=False)).any()
    near = xhat.data.open(grid + 1e-3, kind="table")
    assert (score.score(case.fitted, near) > 1e-8).all()


def test_a_stranger_near_a_normal_row_far_from_zero_is_no_normal_row(case):
    far = NORMAL + 1e5  # within 1e-5 of one another, relative to their size
    score = Neighbours.fit(case.fitted, xhat.data.open(far, kind="table"))
    shift = 1e-3 * NORMAL.std(0)
    found = score.score(case.fitted, xhat.data.open(far + shift, kind="table"))
    own = score.score(case.fitted, xhat.data.open(far, kind="table"))
    assert (found < 0.01 * own.median()).all()


def test_rows_that_take_turns_are_all_seen(monkeypatch):
    monkeypatch.setattr(_code_and_residual, "MOST", 40)
    for groups in (2, 3, 4, 8):
        chosen = _code_and_residual.some_rows(41 * groups, 1)
        assert len(chosen) == 40 == len(chosen.unique())
        assert torch.equal(chosen, chosen.sort().values)
        assert torch.equal(chosen, _code_and_residual.some_rows(41 * groups, 1))
        assert len((chosen % groups).unique()) == groups
    assert torch.equal(_code_and_residual.some_rows(40, 1), torch.arange(40))
    assert len(_code_and_residual.some_rows(100, _code_and_residual.NUMBERS // 10)) == 10


def test_numbers_that_follow_from_others_leave_a_covariance_with_an_inverse(case):
    for rows in (np.tile([[0.0] * D, [1.0] * D], (50, 1)), NORMAL[:2], np.ones((6, D))):
        normal = xhat.data.open(rows, kind="table", to_learn=False)
        score = Mahalanobis.fit(case.fitted, normal)
        near, far = (score.score(case.fitted, data) for data in (normal, case.others))
        assert torch.isfinite(far).all()
        assert near.max() < far.median()


def test_one_row_has_no_covariance(case):
    with pytest.raises(ConfigError, match="mahalanobis: needs 2 normal rows to have a covariance, got 1"):
        Mahalanobis.fit(case.fitted, case.normal.subset(torch.tensor([0])))


def test_errors_that_are_rounding_warn(case):
    flat = NORMAL / SPREAD @ AXES.T @ AXES * SPREAD  # rows of the model's own plane
    with pytest.warns(UserWarning, match="errors of the copies are rounding and tell nothing"):
        Reconstruction.fit(case.fitted, xhat.data.open(flat, kind="table"))
    Reconstruction.fit(case.fitted, case.normal)


def test_a_state_of_another_score_is_refused(case):
    state = Mahalanobis.fit(case.fitted, case.normal).state()
    with pytest.raises(ArtifactError, match="Neighbours: keeps rows, scales, v, got mean, root, start"):
        Neighbours.restore(state)
    with pytest.raises(ArtifactError, match="Likelihood: keeps nothing, got mean"):
        Likelihood.restore(state)


def test_rows_of_symbols_have_no_distance():
    tokens = xhat.data.open(RNG.integers(0, 4, (40, 6)), kind="tokens")
    model = xhat.fit(tokens, latent=2, epochs=1, overrides={"net.hidden": 4}, device="cpu")
    for method in ("neighbours", "mahalanobis", "reconstruction"):
        with pytest.raises(ConfigError, match=f"{method}: needs rows of numbers"):
            METHODS[method].fit(model, tokens).score(model, tokens)
    parts = Likelihood().parts(model, tokens)
    assert parts.shape == (40, 6)
    assert (parts >= 0).all()
