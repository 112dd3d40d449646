"""The error of tokens is the share of wrong ones, for a model, for PCA and for the mean input alike."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

import xhat.data
from xhat.data.scaling import Scaling
from xhat.metrics.pca_curve import pca_curve
from xhat.metrics.principal_components import PrincipalComponents
from xhat.metrics.reconstruction_error import mean_error

RNG = np.random.default_rng(0)
N, T, V = 300, 6, 5
TRAIN, HELD = torch.arange(0, N, 2), torch.arange(1, N, 2)


def tokens() -> np.ndarray:
    """Two hidden phrases, each symbol replaced now and then: something for components to find."""
    phrases = np.array([[0, 1, 2, 3, 4, 0], [4, 3, 0, 0, 1, 2]])
    rows = phrases[RNG.integers(0, 2, N)]
    return np.where(RNG.random(rows.shape) < 0.2, RNG.integers(0, V, rows.shape), rows)


X = tokens()
LENGTHS = RNG.integers(2, T + 1, N)
LENGTHS[:4] = T
MASK = np.arange(T) < LENGTHS[:, None]


def opened(x=X, **options):
    return xhat.data.open(x, kind="tokens", **options)


def curve(data, components):
    pca = PrincipalComponents.fit(data, TRAIN, Scaling("none"), max(components))
    return pca_curve(data, HELD, Scaling("none"), pca, components)


def test_how_far_a_wrong_symbol_is_does_not_matter():
    for wrong in (1, 4):
        copies = torch.from_numpy((X + wrong * (np.arange(T) < 2)) % V)
        error = mean_error(opened(), torch.arange(N), lambda batch, copies=copies: copies)
        assert error == pytest.approx(2 / T)


def test_copies_count_by_the_symbol_that_they_are_nearest_to():
    assert mean_error(opened(), TRAIN, lambda batch: batch.x + 0.4) == 0
    assert mean_error(opened(), TRAIN, lambda batch: batch.x + 0.6) == 1


def test_padding_does_not_count():
    data = opened(mask=MASK)
    error = mean_error(data, HELD, lambda batch: torch.zeros_like(batch.x))  # as padding is
    assert error == pytest.approx((X[HELD] != 0)[MASK[HELD]].mean())


@pytest.mark.parametrize("variables", [1, 3])
def test_padding_of_series_does_not_count(variables):
    x = RNG.normal(size=(N, T, variables))
    data = xhat.data.open(np.where(MASK[..., None], x, 1e6), mask=MASK)
    error = mean_error(data, HELD, lambda batch: torch.zeros_like(batch.x))
    assert error == pytest.approx((x[HELD] ** 2)[MASK[HELD]].mean(), rel=1e-5)


def test_the_mean_input_is_the_most_frequent_symbol_of_each_step():
    usual = np.array([np.bincount(column).argmax() for column in X[TRAIN].T])
    assert curve(opened(), [0])[0] == pytest.approx((X[HELD] != usual).mean())


def test_pca_is_that_of_one_hot_rows():
    errors = curve(opened(), [1, 4, T * V])
    hot = np.eye(V)[X].reshape(N, -1)
    for k in (1, 4):
        pca = PCA(k, svd_solver="full").fit(hot[TRAIN])
        copies = pca.inverse_transform(pca.transform(hot[HELD])).reshape(-1, T, V).argmax(-1)
        assert errors[k] == pytest.approx((copies != X[HELD]).mean(), abs=0.01)
    assert errors[1] < 0.9 * curve(opened(), [0])[0]
    assert errors[T * V] == 0


def test_padding_is_the_mean_to_pca():
    spoiled = np.where(MASK, X, (X + 1) % V)
    errors = curve(opened(np.where(MASK, X, 0), mask=MASK), [0, 2])
    assert curve(opened(spoiled, mask=MASK), [0, 2]) == errors
    hot = np.where(MASK[..., None], np.eye(V)[X], np.nan).reshape(N, -1)
    mean = np.nanmean(hot[TRAIN], 0)
    filled = np.where(np.isnan(hot), mean, hot)
    pca = PCA(2, svd_solver="full").fit(filled[TRAIN])
    copies = pca.inverse_transform(pca.transform(filled[HELD])).reshape(-1, T, V).argmax(-1)
    assert errors[2] == pytest.approx((copies != X[HELD])[MASK[HELD]].mean(), abs=0.01)
    usual = mean.reshape(T, V).argmax(-1)
    assert errors[0] == pytest.approx((X[HELD] != usual)[MASK[HELD]].mean())


def test_padding_of_series_is_the_mean_to_pca():
    x = RNG.normal(5, 1, size=(N, T, 2)) + RNG.normal(0, 3, size=(N, 1, 2))
    data = xhat.data.open(x, mask=MASK)
    scaling = Scaling.fit("global", data.x[TRAIN])
    pca = PrincipalComponents.fit(data, TRAIN, scaling, 2)
    filled = scaling(data.x).flatten(1).numpy()
    assert not filled.reshape(N, T, 2)[~MASK].any()
    np.testing.assert_allclose(pca.mean, filled[TRAIN].mean(0), atol=1e-5)
    copies = PCA(2, svd_solver="full").fit(filled[TRAIN])
    copies = copies.inverse_transform(copies.transform(filled[HELD])).reshape(-1, T, 2)
    by_hand = ((scaling.inverse(torch.from_numpy(copies)).numpy() - x[HELD]) ** 2)[MASK[HELD]].mean()
    assert pca_curve(data, HELD, scaling, pca, [2])[2] == pytest.approx(by_hand, rel=1e-4)


def test_half_of_a_text_helps_with_the_other_half(shared):
    data = xhat.data.open(shared("tinyshakespeare/input.txt"), kind="text", window=12, stride=997)
    split = data.split()
    pca = PrincipalComponents.fit(data, split.train, Scaling("none"), 32)
    errors = pca_curve(data, split.validation, Scaling("none"), pca, [0, 8, 32])
    assert 1 > errors[0] > errors[8] > errors[32] > 0.2  # 85 % of characters are no space
