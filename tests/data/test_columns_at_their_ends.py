"""Columns of unusual types and of numbers at the ends of theirs."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import xhat.data
from xhat.core.errors import DataError
from xhat.data.column import Column

ENDS = ["int8", "int32", "int64", "uint32", "uint64", "Int64", "UInt64", "int64[pyarrow]"]


@pytest.mark.parametrize("dtype", ENDS)
def test_numbers_beyond_a_type_become_its_ends(dtype):
    limits = np.iinfo(dtype.lower().partition("[")[0])
    column = Column.of(pd.Series([0, 5], dtype=dtype, name="n"), "test")
    # float(2**63 - 1) is 2**63, which no int64 holds.
    ends = np.array([[float(limits.max)], [1e30], [-1e30], [3.4]])
    back = column.decode(ends)
    assert back.tolist() == [limits.max, limits.max, limits.min, 3]
    assert str(back.dtype) == dtype


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]"])
def test_gaps_stay_gaps_where_the_type_has_them(dtype):
    column = Column.of(pd.Series([0, None, 5], dtype=dtype, name="n"), "test")
    back = column.decode(np.array([[1.2], [np.nan]]))
    assert back.isna().tolist() == [False, True]
    assert back[0] == 1
    assert str(back.dtype) == dtype


def test_numbers_are_read_with_all_their_digits():
    frame = pd.DataFrame({"n": [2**40 + 1, 2**40 + 2], "m": [1 + 1e-12, 1.0], "s": ["a", "b"]})
    data = xhat.data.open(frame)
    np.testing.assert_array_equal(data.x[:, :2], frame[["n", "m"]])
    pd.testing.assert_frame_equal(data.schema.to_source(data.x.numpy()), frame)


def test_dictionaries_of_arrow_are_categories():
    kept = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    data = xhat.data.open(pd.DataFrame({"d": pd.Series(["a", "b", None, "a"], dtype=kept)}), missing=True)
    assert data.schema.columns == ("d=a", "d=b")
    assert data.x[:, 0].nan_to_num(-1).tolist() == [1, 0, -1, 1]
    assert data.schema.to_source(data.x.numpy())["d"].dtype == "category"


def test_sparse_columns_are_numbers():
    frame = pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1.5]), "b": ["x", "y", "x"]})
    assert xhat.data.open(frame).x[:, 0].tolist() == [0, 0, 1.5]


@pytest.mark.parametrize("values", [[1, 2, "x"], [1.5, None, "x"]])
def test_an_error_points_at_the_odd_cell(values):
    with pytest.raises(DataError, match=r"^test: column 'o' must be numbers or categories, got 'x' in row 2\."):
        Column.of(pd.Series(values, dtype=object, name="o"), "test")


def test_too_large_a_number_is_named():
    with pytest.raises(DataError, match=r"^frame: values must fit 32-bit floats, got 1e\+39\."):
        xhat.data.open(pd.DataFrame({"a": [1e39, 1.0], "b": ["x", "y"]}))
