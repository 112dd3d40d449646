"""Whole numbers beside gaps stay whole, wherever a frame comes from."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow.parquet import write_table

import xhat.data
from xhat.data.readers.frame import as_pandas

ROWS = {"n": [1, None, 2**60 + 1, 4], "u": [1, 2, 3, 4], "x": [0.5, None, 1.0, 2.0], "s": ["a", "b", None, "b"]}


@pytest.mark.parametrize("made", [pl.DataFrame, pa.table])
def test_they_keep_a_type_that_knows_gaps(made):
    frame = as_pandas(made(ROWS))
    assert [str(dtype) for dtype in frame.dtypes[:3]] == ["Int64", "int64", "float64"]
    assert frame["n"].tolist()[2] == 2**60 + 1
    assert frame["n"].isna().tolist() == [False, True, False, False]
    data = xhat.data.open(made(ROWS), missing=True)
    assert data.schema.missing == 3
    assert data.schema.to_source(data.x.numpy()).dtypes["n"] == "Int64"


def test_they_do_so_in_parquet_files(tmp_path):
    write_table(pa.table(ROWS), tmp_path / "rows.parquet")
    data = xhat.data.open(tmp_path / "rows.parquet", missing=True)
    assert data.schema.to_source(data.x.numpy()).dtypes["n"] == "Int64"


def test_numbers_alone_are_floats_where_some_have_gaps():
    data = xhat.data.open(pl.DataFrame({"n": [1, None, 3], "u": [1, 2, 3]}), missing=True)
    assert data.schema.dtype == "float64"
    assert data.schema.missing == 1


def test_frames_of_pandas_stay_as_they_are():
    frame = pd.DataFrame({"n": [1.0, None]})
    assert as_pandas(frame) is frame
