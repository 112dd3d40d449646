"""Columns of several kinds as rows of numbers, and back."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import xhat.data
from xhat.core.errors import ArtifactError, DataError
from xhat.data import Schema
from xhat.data.column import Column
from xhat.data.scaling import Scaling


def frame():
    return pd.DataFrame(
        {
            "age": np.array([20, 30, 40, 50], np.int16),
            "pet": ["dog", "cat", "dog", "cat"],
            "size": pd.Categorical(["m", "l", "m", "m"], categories=["s", "m", "l"], ordered=True),
            "rooms": pd.Categorical([2, 1, 2, 2]),
            "own": [True, False, False, True],
            "maybe": pd.array([True, None, False, True], "boolean"),
            "count": pd.array([1, 2, None, 2**40], "Int64"),
            "price": np.array([0.5, 1.5, np.nan, 2.5]),
        }
    )


def gapless():
    return frame().dropna().reset_index(drop=True)


def opened():
    return xhat.data.open(frame(), missing=True)


def test_a_number_takes_one_element_and_a_category_one_each():
    data = opened()
    assert data.schema.columns == (
        *("age", "pet=cat", "pet=dog", "size=s", "size=m", "size=l", "rooms=1", "rooms=2"),
        *("own=False", "own=True", "maybe=False", "maybe=True", "count", "price"),
    )
    assert data.x[0].tolist() == [20, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0.5]
    assert data.x[1].isnan().nonzero().flatten().tolist() == [10, 11]
    assert data.schema.missing == 3  # cells, not elements


def test_rows_come_back_in_the_types_of_their_columns():
    data = opened()
    pd.testing.assert_frame_equal(data.schema.to_source(data.x.numpy()), frame())
    # What a model gives is no whole number, and scores no zeros and ones.
    soft = data.x.numpy() * 0.9 + 0.04
    back = xhat.data.open(gapless()).schema.to_source(soft[[0, 3]])
    assert back.dtypes.tolist() == gapless().dtypes.tolist()
    assert back["pet"].tolist() == ["dog", "cat"]
    assert back["age"].tolist() == [18, 45]


def test_numbers_stay_within_their_type():
    schema = xhat.data.open(pd.DataFrame({"a": np.array([0, 255, 3], np.uint8), "b": ["x", "y", "x"]})).schema
    assert schema.to_source(np.array([[-5.0, 1, 0], [300, 0, 1]], np.float32))["a"].tolist() == [0, 255]


def test_a_description_is_json():
    schema = opened().schema
    again = Schema.from_dict(json.loads(json.dumps(schema.to_dict())))
    assert again == schema
    assert xhat.data.open(frame(), **again.opening()).x.shape == (4, 14)
    broken = schema.to_dict()
    broken["mixed"][0]["colour"] = "red"
    with pytest.raises(ArtifactError, match=r"describes no columns .*colour"):
        Schema.from_dict(broken)


def test_other_data_is_read_as_the_first_was():
    data = opened()
    options = data.schema.opening() | {"to_learn": False}
    one = frame().iloc[2:3]
    np.testing.assert_array_equal(xhat.data.open(one[one.columns[::-1]], **options).x, data.x[2:3])
    np.testing.assert_array_equal(xhat.data.open(frame().astype(object).to_numpy(), **options).x, data.x)
    with pytest.raises(DataError, match=r"column 'pet' must hold one of cat, dog, got 'ant' in row 1\. The model has"):
        xhat.data.open(frame().replace({"pet": {"cat": "ant"}}), **options)
    with pytest.raises(DataError, match=r"column 'age' must be numbers or categories, got 'old' in row 0"):
        xhat.data.open(frame().assign(age=["old", "1", "2", "3"]), **options)
    with pytest.raises(DataError, match=r"has no column 'price', which the model reads"):
        xhat.data.open(frame().rename(columns={"price": "prize"}), **options)
    with pytest.raises(DataError, match=r"the model knows no such column, got 'more'"):
        xhat.data.open(frame().assign(more=1), **options)
    with pytest.raises(DataError, match=r"the model reads tables of 8 columns, got shape \(2, 3\)"):
        xhat.data.open(np.zeros((2, 3)), **options)


def test_texts_that_a_file_shows_as_numbers_are_the_same_categories(tmp_path):
    path = tmp_path / "zip.csv"
    pd.DataFrame({"zip": ["7", "8", "x", "7", "x", "8"], "n": range(6)}).to_csv(path, index=False)
    schema = xhat.data.open(path).schema
    path.write_text("zip,n\n8,1\n7,2\n")
    assert xhat.data.open(path, **schema.opening(), to_learn=False).x[:, :3].tolist() == [[0, 1, 0], [1, 0, 0]]


def test_frames_of_polars_are_mixed_too():
    data = xhat.data.open(pl.DataFrame({"a": [1.5, 2.5, 3.5], "b": ["x", "y", "x"]}))
    assert data.x.tolist() == [[1.5, 1, 0], [2.5, 0, 1], [3.5, 1, 0]]


def test_numbers_alone_are_mixed_where_that_is_asked_for():
    plain, asked = (xhat.data.open(frame()[["age"]], kind=kind).schema for kind in (None, "mixed"))
    assert plain.mixed is None
    assert asked.mixed == (Column("age", "int16", whole=True, low=20.0, high=50.0),)
    with pytest.raises(DataError, match=r"rows of kind 'series' must be numbers, got column 'pet'"):
        xhat.data.open(gapless(), kind="series")


@pytest.mark.parametrize("empty", [None, pd.Series([None] * 4, dtype="string"), pd.array([None] * 4, "boolean")])
def test_a_column_of_gaps_is_refused(empty):
    with pytest.raises(DataError, match=r"every column needs a value in some row, .*none in column 'none'"):
        xhat.data.open(frame().assign(none=empty), missing=True)


def test_sparse_columns_are_columns():
    sparse = gapless().assign(often=pd.arrays.SparseArray([0, 3]))
    data = xhat.data.open(sparse)
    assert data.x[:, -1].tolist() == [0, 3]
    assert data.schema.to_source(data.x.numpy())["often"].tolist() == [0, 3]


def test_a_condition_is_read_by_its_value_or_by_its_name():
    rooms, own = Column("rooms", "category", (1, 2)), Column("own", "bool", (False, True))
    assert [rooms.read(value).tolist() for value in (1, 1.0, np.int8(2), "2")] == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert [own.read(value).tolist() for value in (np.True_, "False", 1)] == [[0, 1], [1, 0], [0, 1]]


def test_a_gap_is_named_by_its_column():
    with pytest.raises(DataError, match=r"no value may be missing, got 3 NaN, the first in row 1, column 'maybe'"):
        xhat.data.open(frame())


def test_scaling_leaves_categories_as_they_are():
    x = opened().x
    kept = torch.tensor(["=" in name for name in opened().schema.columns])
    scaling = Scaling.fit("standard", x, kept=kept)
    scaled = scaling(x)
    assert scaled[:, kept].unique().tolist() == [0, 1]
    np.testing.assert_allclose(scaled[:, 0].std(correction=0), 1, rtol=1e-6)


def test_the_range_of_a_schema_widens_with_more_rows():
    first, more = gapless(), gapless().assign(age=np.array([5, 90], np.int16), price=[np.nan, 1.0])
    schema = xhat.data.open(first).schema
    opened_more = xhat.data.open(more, **schema.opening() | {"missing": True})
    wide = schema.widened(opened_more.schema, opened_more.x.numpy())
    ranges = {column.name: (column.low, column.high) for column in wide.mixed if column.categories is None}
    assert ranges == {"age": (5, 90), "count": (1, 2**40), "price": (0.5, 2.5)}
    assert wide.mixed[1] == schema.mixed[1]
