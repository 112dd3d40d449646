import numpy as np
import pandas as pd
import pytest
import torch

from xhat.core.errors import DataError
from xhat.data.labels import Labels


@pytest.mark.parametrize(
    ("values", "y", "dtype"),
    [
        (np.array([3, 1, 2], np.uint8), [3, 1, 2], torch.int64),
        (np.array([True, False, True]), [1, 0, 1], torch.int64),
        (np.array([0.5, 1.5, -1.0]), [0.5, 1.5, -1.0], torch.float32),
        (np.array([[3], [1], [2]]), [3, 1, 2], torch.int64),
        (np.array([3, 1, 2], object), [3, 1, 2], torch.int64),
        (np.array([[0.0, 1.0]] * 3), [[0.0, 1.0]] * 3, torch.float32),
    ],
)
def test_numbers_stay_what_they_are(values, y, dtype):
    labels = Labels.encode(values, 3, "x")
    assert labels.y.tolist() == y
    assert labels.y.dtype == dtype
    assert labels.names is None


@pytest.mark.parametrize("dtype", ["U", object])
def test_names_become_classes(dtype):
    labels = Labels.encode(np.array(["dog", "cat", "dog"], dtype), 3, "x")
    assert labels.names == ("cat", "dog")
    assert labels.y.tolist() == [1, 0, 1]
    assert labels.y.dtype == torch.int64


@pytest.mark.parametrize(
    ("values", "y", "names"),
    [
        (np.array([2, -1, 0]), [2, -1, 0], None),
        (np.array([1.0, np.nan, 2.0]), [1, -1, 2], None),  # numpy's only type for whole numbers with a gap
        (np.array([1, None, 2], object), [1, -1, 2], None),
        (np.array([[1], [None], [2]], object), [1, -1, 2], None),
        (np.array(["b", None, "a"], object), [1, -1, 0], ("a", "b")),
        (np.array(["b", np.nan, "a"], object), [1, -1, 0], ("a", "b")),
        (np.array(["b", "", "a"]), [1, -1, 0], ("a", "b")),
        (np.array([1, pd.NA, 2], object), [1, -1, 2], None),
    ],
)
def test_a_class_may_be_missing(values, y, names):
    labels = Labels.encode(values, 3, "x")
    assert labels.y.tolist() == y
    assert labels.y.dtype == torch.int64
    assert labels.names == names


def test_classes_of_other_data_are_numbered_by_their_names():
    y = Labels.renumbered(torch.tensor([0, -1, 1]), ("bird", "dog"), ("bird", "cat", "dog"), "x")
    assert y.tolist() == [0, -1, 2]
    with pytest.raises(DataError, match=r"x: the model knows no class of that name, got fish\. Use bird, cat, dog"):
        Labels.renumbered(torch.tensor([0]), ("fish",), ("bird", "cat", "dog"), "x")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.arange(4), "each of the 3 rows needs a label, got 4 labels"),
        (np.array(1), "each of the 3 rows needs a label, got 0 labels"),
        (np.array([1.5, np.nan, 2.0]), "every row needs its label, got a missing one.*-1 stands for none"),
        (np.array([1.5, None, 2.0], object), "every row needs its label, got a missing one"),
        (np.array([[1.0, np.nan]] * 3), "every row needs its label, got a missing one"),
        (np.array([None] * 3), "some row needs a label, got none"),
        (np.array([1j, 2, 3]), "labels must be numbers or names, got complex128"),
        (np.array([["a"] * 2] * 3), r"labels must be numbers or names, got <U1 of shape \(3, 2\)"),
        (np.array(["2020-01-01"] * 3, "M8[D]"), "labels must be numbers or names, got datetime64"),
    ],
)
def test_refuses_what_labels_nothing(values, message):
    with pytest.raises(DataError, match=message):
        Labels.encode(values, 3, "x")
