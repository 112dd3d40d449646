import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import xhat.data
from xhat.core.errors import DataError

COLUMNS = {"age": [20, 30, 40], "height": [1.5, 1.75, 2.0], "pet": ["dog", "cat", "dog"]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"])
def test_columns_and_labels(make):
    data = xhat.data.open(make(COLUMNS), labels="pet")
    assert data.x.tolist() == [[20, 1.5], [30, 1.75], [40, 2.0]]
    assert data.schema.columns == ("age", "height")
    assert data.schema.labels == ("cat", "dog")
    assert data.y.tolist() == [1, 0, 1]
    assert data.schema.name == "frame"


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"])
def test_gaps_are_missing(make):
    frame = make({"a": [1, None, 3], "c": [0.5, 1.0, 2.0]})
    with pytest.raises(DataError, match="1 NaN, the first in row 1, column 'a'"):
        xhat.data.open(frame)
    assert xhat.data.open(frame, missing=True).schema.missing == 1


def test_gaps_of_pandas_own_types_are_missing():
    frame = pd.DataFrame({"a": pd.array([1, None, 3], "Int64"), "b": pd.array([0.5, 1.5, None], "Float64")})
    data = xhat.data.open(frame, missing=True)
    assert data.schema.missing == 2
    assert data.x[0].tolist() == [1, 0.5]


def test_types_are_kept_where_columns_share_one():
    assert xhat.data.open(pd.DataFrame(np.eye(3, dtype=np.float32))).schema.dtype == "float32"
    assert xhat.data.open(pd.DataFrame(np.eye(3, dtype=np.uint8))).schema.dtype == "uint8"
    data = xhat.data.open(pd.DataFrame({"a": [True, False], "b": [True, True]}))
    assert data.x.tolist() == [[1, 1], [0, 1]]
    assert data.schema.mixed is None


def test_names_may_be_numbers_and_rows_any_slice():
    data = xhat.data.open(pd.DataFrame(np.arange(12.0).reshape(4, 3))[::-2])
    assert data.schema.columns == ("0", "1", "2")
    assert data.x.tolist() == [[9, 10, 11], [3, 4, 5]]


def test_labels_may_be_numbers_or_categories():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "y": [7, 8, 7], "c": pd.Categorical(["u", "v", "u"])})
    assert xhat.data.open(frame.drop(columns="c"), labels="y").y.tolist() == [7, 8, 7]
    assert xhat.data.open(frame[["a", "c"]], labels="c").schema.labels == ("u", "v")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"pet": ["dog", "cat", "ant"]}, r"column 'pet' must hold numbers or categories that repeat, got 3 different"),
        ({"pet": ["dog", "cat", "ant"]}, r"texts in 3 rows, such as 'dog'\. Drop it, group rare.*labels='pet'"),
        ({"n": ["1", "x", "3"]}, "column 'n' must be numbers or categories, got 'x' in row 1"),
        ({"day": pd.to_datetime(["2020-01-01"] * 3)}, "column 'day' must be numbers or categories, got Timestamp"),
        ({"span": pd.Categorical(pd.to_timedelta([1, 2, 1]))}, "column 'span' has categories that are neither"),
        ({"z": [1j, 2j, 1j]}, "data must be real numbers, got dtype complex128"),
        ({"list": [[1], [2], [1]]}, r"column 'list' must be numbers or categories, got \[1\] in row 0"),
        ({"none": [None] * 3}, "every column needs a value in some row, none in column 'none'. Drop it"),
    ],
)
def test_refuses_columns_of_anything_else(columns, message):
    with pytest.raises(DataError, match=message) as error:
        xhat.data.open(pd.DataFrame({"a": [1.0, 2.0, 3.0], **columns}))
    assert "\n" not in str(error.value)


def test_refuses_labels_that_are_not_there():
    frame = pd.DataFrame({"a": [1.0, 2.0], "pet": ["dog", None]})
    with pytest.raises(DataError, match=r"has no column 'pets' for labels. Did you mean 'pet'"):
        xhat.data.open(frame, labels="pets")
    with pytest.raises(DataError, match="every row needs its label, got a missing one"):
        xhat.data.open(pd.DataFrame({"a": [1.0, 2.0], "y": [0.5, np.nan]}), labels="y")


@pytest.mark.parametrize(
    ("column", "y"),
    [
        (["dog", None, "cat"], [1, -1, 0]),
        ([4.0, np.nan, 0.0], [4, -1, 0]),
        (pd.array([4, None, 0], dtype="Int64"), [4, -1, 0]),
        (pd.Categorical(["dog", None, "cat"]), [1, -1, 0]),
    ],
)
def test_labels_with_gaps_are_classes(column, y):
    data = xhat.data.open(pd.DataFrame({"a": [1.0, 2.0, 3.0], "y": column}), labels="y")
    assert data.y.tolist() == y
    assert "2 labelled" in repr(data)


def test_refuses_frames_without_rows_columns_or_names_of_their_own():
    with pytest.raises(DataError, match="has no rows"):
        xhat.data.open(pd.DataFrame({"a": [], "b": []}, dtype=object))
    with pytest.raises(DataError, match="has no columns to learn from"):
        xhat.data.open(pd.DataFrame({"a": [1, 2]}), labels="a")
    with pytest.raises(DataError, match="columns must have names of their own, got a"):
        xhat.data.open(pd.DataFrame(np.eye(2), columns=["a", "a"]))


def test_a_single_column_of_pandas_is_no_table():
    with pytest.raises(DataError, match="an axis of rows and at least one more"):
        xhat.data.open(pd.Series([1.0, 2.0]))
