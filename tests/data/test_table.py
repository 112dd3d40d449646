"""Files of tables as frames, and frames whose gaps are filled."""

import numpy as np
import pandas as pd
import pytest

from xhat.core.errors import ConfigError
from xhat.data import mixed
from xhat.data.table import table


def frame():
    whole = {"code": [123456789, 2**40 + 1, 3], "price": [0.1, np.nan, 0.3], "pet": ["dog", None, "cat"]}
    return pd.DataFrame(whole | {"paid": pd.array([True, None, False], "boolean")})


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_files_values_are_those_that_stand_there(tmp_path, suffix):
    path = tmp_path / f"table.{suffix}"
    write = frame().to_parquet if suffix == "parquet" else frame().to_csv
    write(path, index=False)
    kept = (
        list(frame()) if suffix == "parquet" else ["code", "price", "pet"]
    )  # text has no type of its own for booleans
    pd.testing.assert_frame_equal(table(path)[kept], frame()[kept], check_exact=True)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"x\.npy: is no file of a table, got '\.npy'\. Give a \.csv"):
        table(tmp_path / "x.npy")


def test_gaps_are_put_within_what_was_seen_and_nothing_else_is():
    gaps = frame()
    columns = mixed.describe(gaps, "x")
    rows = mixed.encode(gaps, columns, "x")
    rows[1] = [7, 99, 0.9, 0.1, 0.4, 0.6]  # a price above all, a cat, a True
    filled = mixed.put(gaps, rows, columns)
    assert filled.dtypes.equals(gaps.dtypes)
    assert filled["code"].equals(gaps["code"])
    np.testing.assert_allclose(filled["price"], [0.1, 0.3, 0.3], rtol=1e-6)
    assert filled["pet"].tolist() == ["dog", "cat", "cat"]
    assert filled["paid"].tolist() == [True, True, False]
