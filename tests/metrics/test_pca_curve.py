import numpy as np
import pytest
import torch
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA

import xhat
from xhat.data.scaling import Scaling
from xhat.metrics.pca_curve import pca_curve
from xhat.metrics.principal_components import PrincipalComponents

WINE = load_wine().data.astype(np.float32)
TRAIN, HELD = torch.arange(0, 178, 2), torch.arange(1, 178, 2)


def curve(x, scaling, components, missing=False):
    data = xhat.data.open(x, missing=missing)
    pca = PrincipalComponents.fit(data, TRAIN, scaling, max(components))
    return pca_curve(data, HELD, scaling, pca, components)


def test_for_every_number_of_components_it_is_scikit_learns():
    scaling = Scaling.fit("standard", torch.from_numpy(WINE[TRAIN]))
    errors = curve(WINE, scaling, range(14))
    mean, spread = WINE[TRAIN].mean(0, dtype=np.float64), WINE[TRAIN].std(0, dtype=np.float64)
    train, held = (WINE[TRAIN] - mean) / spread, (WINE[HELD] - mean) / spread
    for k in range(1, 13):
        pca = PCA(k, svd_solver="full").fit(train)
        copies = pca.inverse_transform(pca.transform(held))
        assert errors[k] == pytest.approx((((copies - held) * spread) ** 2).mean(), rel=1e-3)
    assert errors[0] == pytest.approx(((WINE[HELD] - mean) ** 2).mean(), rel=1e-5)
    assert errors[13] < 1e-8 * errors[0]  # all of them copy exactly


def test_more_components_than_there_are_count_as_all():
    few = np.concatenate([WINE[:, :3]])
    errors = curve(few, Scaling("none", (3,)), [3, 10])
    assert errors[10] == errors[3]


def test_a_missing_entry_is_the_scaled_0_for_pca_as_for_the_model():
    x = WINE.copy()
    x[np.random.default_rng(0).random(x.shape) < 0.1] = np.nan
    scaling = Scaling.fit("standard", torch.from_numpy(x[TRAIN]))
    errors = curve(x, scaling, [0, 2], missing=True)
    mean, spread = np.nanmean(x[TRAIN].astype(np.float64), 0), np.nanstd(x[TRAIN].astype(np.float64), 0)
    train, held = (np.nan_to_num((x[rows] - mean) / spread) for rows in (TRAIN, HELD))
    pca = PCA(2, svd_solver="full").fit(train)
    copies = pca.inverse_transform(pca.transform(held)) * spread + mean
    assert errors[2] == pytest.approx(np.nanmean((x[HELD] - copies) ** 2), rel=1e-4)
    assert errors[0] == pytest.approx(np.nanmean((x[HELD] - mean) ** 2), rel=1e-4)


def test_the_components_are_orthonormal_the_widest_first():
    data = xhat.data.open(WINE)
    pca = PrincipalComponents.fit(data, TRAIN, Scaling.fit("standard", data.x[TRAIN]), 5)
    torch.testing.assert_close(pca.axes @ pca.axes.T, torch.eye(5), atol=1e-5, rtol=0)
    assert pca.variances.tolist() == sorted(pca.variances.tolist(), reverse=True)
    whole = PCA(13).fit(((WINE[TRAIN] - WINE[TRAIN].mean(0)) / WINE[TRAIN].std(0)).astype(np.float64))
    for k in (0, 2, 5):
        assert pca.noise(k) == pytest.approx(whole.explained_variance_[k:].mean(), rel=1e-4)


def test_scaling_is_left_as_it_was():
    scaling = Scaling.fit("standard", torch.from_numpy(WINE[TRAIN]))
    before = {name: value.clone() for name, value in scaling.state_dict().items()}
    curve(WINE, scaling, [1])
    assert all(torch.equal(value, before[name]) for name, value in scaling.state_dict().items())
