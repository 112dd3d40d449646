from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import xhat.data
from xhat.core.errors import DataError

X = np.random.default_rng(0).normal(size=(6, 3))
Z = np.random.default_rng(1).normal(size=(4, 3))


@pytest.fixture
def save(tmp_path) -> Callable[..., Path]:
    def save(**arrays) -> Path:
        np.savez_compressed(tmp_path / "a.npz", **arrays)
        return tmp_path / "a.npz"

    return save


def same(data, x):
    return np.array_equal(data.x.numpy(), x)


@pytest.mark.parametrize("name", ["x", "X", "x_train", "features"])
def test_the_usual_name_or_the_only_rows_are_taken(save, name):
    path = save(**{"scale": np.ones(3), name: X})
    assert same(xhat.data.open(path), X)


def test_the_usual_names_come_in_their_order(save):
    assert same(xhat.data.open(save(x_train=Z, x=X)), X)


def test_the_key_decides(save):
    path = save(x=X, other=Z)
    assert same(xhat.data.open(path, key="other"), Z)
    with pytest.raises(DataError, match=r"has no array 'othr'. Did you mean 'other'"):
        xhat.data.open(path, key="othr")


@pytest.mark.parametrize(
    ("key", "labels"),
    [("x_train", "y_train"), ("x_test", "y_test"), ("x", "y"), ("X", "Y"), ("X_val", "y_val"), ("x_val", "y")],
)
def test_labels_are_found_by_the_key(save, key, labels):
    data = xhat.data.open(save(**{key: X, labels: np.arange(6), "y_none": np.zeros(6)}), key=key)
    assert data.y.tolist() == list(range(6))


def test_labels_of_other_rows_are_not_taken(save):
    assert xhat.data.open(save(x_train=X, y_train=np.arange(4))).y is None
    assert xhat.data.open(save(x_train=X, y_train=np.arange(4), y=np.arange(6))).y.tolist() == list(range(6))
    assert xhat.data.open(save(features=X, eatures=np.arange(6))).y is None


def test_labels_may_be_named(save):
    path = save(x=X, y=np.zeros(6), odd=np.arange(6), short=np.arange(5))
    assert xhat.data.open(path, labels="odd").y.tolist() == list(range(6))
    with pytest.raises(DataError, match=r"has no array 'od'. Did you mean 'odd'"):
        xhat.data.open(path, labels="od")
    with pytest.raises(DataError, match="each of the 6 rows needs a label, got 5 labels"):
        xhat.data.open(path, labels="short")


def test_several_candidates_are_listed(save):
    with pytest.raises(DataError, match=r"2 that could be meant, got a \(6, 3\), b \(4, 3\), c \(2,\)\. .*--key"):
        xhat.data.open(save(a=X, b=Z, c=np.ones(2)))
    with pytest.raises(DataError, match=r"none that could be meant, got c \(2,\)"):
        xhat.data.open(save(c=np.ones(2)))


def test_refuses_objects(save):
    with pytest.raises(DataError, match="array 'x' cannot be read, got Object arrays"):
        xhat.data.open(save(x=np.array([[1, None]], object)))


def test_refuses_what_is_no_archive(tmp_path):
    path = tmp_path / "a.npz"
    path.write_text("no archive")
    with pytest.raises(DataError, match=r"^a.npz: cannot be read as an \.npz file"):
        xhat.data.open(path)
    with path.open("wb") as file:
        np.save(file, X)
    with pytest.raises(DataError, match=r"is no archive but a single array\. Rename it to \.npy"):
        xhat.data.open(path)


def test_refuses_a_damaged_archive(save):
    path = save(x=X)
    whole = bytearray(path.read_bytes())
    path.write_bytes(whole[:-30])
    with pytest.raises(DataError, match=r"cannot be read as an .npz file"):
        xhat.data.open(path)
    whole[80:100] = bytes(20)
    path.write_bytes(whole)
    with pytest.raises(DataError, match="array 'x' cannot be read"):
        xhat.data.open(path)
