import numpy as np
import pytest
from sklearn.decomposition import PCA

from xhat.metrics import _eigen
from xhat.metrics._eigen import eigen_axes

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3)) @ RNG.normal(size=(3, 6)) * [1, 1, 1, 50, 1, 0.01] + 0.05 * RNG.normal(size=(300, 6))


@pytest.mark.parametrize("far", [0.0, 1e7])
def test_they_are_the_singular_vectors_of_centred_rows_wherever_these_lie(far):
    found = eigen_axes(X + far, 4)
    exact = PCA(4, svd_solver="full").fit(X)  # near zero: the axes are the same
    np.testing.assert_allclose(found.mean - far, exact.mean_, atol=1e-7)
    np.testing.assert_allclose(found.axes, exact.components_, atol=1e-6)
    np.testing.assert_allclose(found.variances, exact.explained_variance_, rtol=1e-6)
    np.testing.assert_allclose(found.spread, X.var(0, ddof=1), rtol=1e-6)


def test_floats_of_32_bits_far_from_zero_keep_the_axes_of_what_they_hold():
    rows = (X + 1e4).astype(np.float32)
    found, exact = eigen_axes(rows, 3), PCA(3, svd_solver="full").fit(rows.astype(float))
    np.testing.assert_allclose(found.variances, exact.explained_variance_, rtol=1e-9)


def test_many_rows_are_multiplied_in_32_bits_and_lose_little(monkeypatch):
    monkeypatch.setattr(_eigen, "PRODUCTS", 0)
    monkeypatch.setattr(_eigen, "TOGETHER", 64)
    found, exact = eigen_axes(X + 1e7, 4), PCA(4, svd_solver="full").fit(X)
    np.testing.assert_allclose(found.variances, exact.explained_variance_, rtol=1e-4)
    np.testing.assert_allclose(np.abs((found.axes * exact.components_).sum(1)), 1, atol=1e-5)


def test_elements_that_never_vary_have_no_variance():
    found = eigen_axes(np.hstack([X, np.full((300, 2), 3.0)]), 8)
    assert (found.variances >= 0).all()
    assert found.variances[6:] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(8), atol=1e-9)
