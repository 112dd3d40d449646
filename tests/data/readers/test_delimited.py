from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import xhat.data
from xhat.core.errors import DataError
from xhat.data import Dataset


@pytest.fixture
def table(tmp_path) -> Callable[..., Dataset]:
    def table(text, suffix=".csv", **options) -> Dataset:
        path = tmp_path / f"table{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return xhat.data.open(path, **options)

    return table


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b\n1,2.5\n3,4\n", ("a", "b")),
        ("1,2.5\n3,4\n", ("c0", "c1")),
        ("1,2.5\n3,4", ("c0", "c1")),
        ("a;b\r\n1;2.5\r\n3;4\r\n", ("a", "b")),
        ('"fixed acidity";"volatile, acidity"\n1;2.5\n3;4\n', ("fixed acidity", "volatile, acidity")),
        ("a\tb\n1\t2.5\n3\t4\n", ("a", "b")),
        ("a|b\n1|2.5\n3|4\n", ("a", "b")),
        ("1 \t2.5 \n3 \t4 \n", ("c0", "c1")),
        ("  1   2.5\n  3   4\n", ("c0", "c1")),
        ("a, b \n1, 2.5\n3, 4\n", ("a", "b")),
        ("\n\na,b\n\n1,2.5\n3,4\n", ("a", "b")),
        ("\ufeffa,b\n1,2.5\n3,4\n", ("a", "b")),
        ("nan,inf\n1,2.5\n3,4\n", ("nan", "inf")),
        (",a,b\n0,1,2.5\n1,3,4\n", ("a", "b")),
    ],
)
def test_separators_and_headers_are_found(table, text, columns):
    data = table(text)
    assert data.x.tolist() == [[1, 2.5], [3, 4]]
    assert data.schema.columns == columns
    assert data.schema.name == "table"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".CSV"])
def test_suffixes_say_nothing_of_separators(table, suffix):
    assert table("a\tb\n1\t2\n3\t4\n", suffix).schema.columns == ("a", "b")


@pytest.mark.parametrize("text", ["my column\n1\n2\n3\n", "1\n2\n3\n"])
def test_a_single_column_will_do(table, text):
    data = table(text)
    assert data.x.tolist() == [[1], [2], [3]]
    assert data.schema.columns in [("my column",), ("c0",)]


def test_what_pandas_writes_comes_back(table):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "c"])
    for index in (True, False):
        data = table(frame.to_csv(index=index))
        assert data.schema.columns == ("a", "b", "c")
        np.testing.assert_array_equal(data.x, frame)


def test_an_unnamed_column_that_counts_no_rows_stays(table):
    assert table(",a\n5,1\n7,3\n").x.tolist() == [[5, 1], [7, 3]]


@pytest.mark.parametrize("gap", ["", "?", " ?", "? ", "NA", "nan"])
def test_gaps_are_missing(table, gap):
    text = f"a,b\n1,2\n{gap},4\n5,6\n"
    with pytest.raises(DataError, match=r"^table: no value may be missing, got 1 NaN, the first in row 1, column 'a'"):
        table(text)
    data = table(text, missing=True)
    assert data.x[1, 0].isnan()
    assert data.schema.missing == 1


def test_a_first_row_of_gaps_is_no_header(table):
    assert table("?,?\n1,2\n3,4\n", missing=True).schema.missing == 2


def test_labels_are_taken_out(table):
    data = table("a,species,b\n1,iris,2\n3,rose,4\n5,iris,7\n", labels="species")
    assert data.x.tolist() == [[1, 2], [3, 4], [5, 7]]
    assert data.schema.columns == ("a", "b")
    assert data.schema.labels == ("iris", "rose")
    assert data.y.tolist() == [0, 1, 0]
    assert table("1,2,0\n3,4,1\n", labels="c2").y.tolist() == [0, 1]
    some = table("a,species,n\n1,iris,0\n3,,\n5,rose,1\n", labels="species", missing=True)
    assert some.y.tolist() == [0, -1, 1]
    assert table("a,n\n1,0\n3,\n5,1\n", labels="n").y.tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age,job\n1,clerk\n2,smith\n3,cook\n", "column 'job' must hold numbers or categories that repeat, got 3 diff"),
        ("a,b\n1,2\n3,4\n5,x6\n", "column 'b' must be numbers or categories, got 'x6' in row 2"),
        ("a,b\n", "needs at least 2 rows, got 1"),
        ("1,2\n3,inf\n", "every value must be finite, got inf in row 1, column 'c1'"),
        ("a,b\n1,2\n", "needs at least 2 rows, got 1"),
        ("a,b\n1,2\n3,4,5\n", "cannot be read as a table"),
        ("1,2\n3,4,5\n", "cannot be read as a table"),
        ("a,a\n1,2\n3,4\n", "cannot be read as a table, got Duplicate names"),
        (" \n\n", "cannot be read as a table, got there is only white space"),
        (b"a,b\n1,\xff\n", "cannot be read as a table, got 'utf-8' codec.*in UTF-8"),
    ],
)
def test_refuses_what_is_no_table_of_numbers(table, text, message):
    with pytest.raises(DataError, match=message):
        table(text)


def test_columns_of_texts_that_repeat_are_categories(table):
    data = table("age,job\n1,clerk\n2,smith\n3,clerk\n")
    assert data.schema.columns == ("age", "job=clerk", "job=smith")
    assert data.x.tolist() == [[1, 1, 0], [2, 0, 1], [3, 1, 0]]


def test_a_table_of_texts_alone_has_a_header_where_it_names_no_value(table):
    assert table("job,pet\nclerk,dog\nsmith,cat\nclerk,cat\n").schema.columns[:2] == ("job=clerk", "job=smith")
    assert table("clerk,dog\nsmith,cat\nclerk,cat\n").schema.columns[:2] == ("c0=clerk", "c0=smith")


def test_a_longer_row_far_below_is_refused_too(table):
    with pytest.raises(DataError, match=r"cannot be read as a table.*Expected 2 fields in line 300, saw 3"):
        table("1,2\n" * 299 + "1,2,3\n" + "1,2\n" * 5)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,2019,2020\n1,2.5,3\n4,5,6\n", ("a", "2019", "2020")),
        ("city,2019,2020\n7,1,3\nOslo,4,6\nOslo,4,6\n", ("city=7", "city=Oslo", "2019", "2020")),
        ("city,2019,2020\nOslo,1,3\nBergen,4,6\nOslo,5,7\n", ("city=Bergen", "city=Oslo", "2019", "2020")),
        # Rows like any other.
        ("Oslo,2019,2020\nBergen,4,6\nOslo,5,7\nBergen,1,2\n", ("c0=Bergen", "c0=Oslo", "c1", "c2")),
        ("Rome,1950,2020\nOslo,1960,2001\nOslo,1970,2002\nOslo,1970,1999\n", ("c0=Oslo", "c0=Rome", "c1", "c2")),
        ("x,1,2\ny,3,4\ny,5,6\nx,7,8\n", ("c0=x", "c0=y", "c1", "c2")),
        ("nan,1\n2,3\n4,5\n", ("nan", "1")),
    ],
)
def test_names_may_be_numbers_where_others_tell_a_header(table, text, columns):
    assert table(text).schema.columns == columns


def test_words_for_a_gap_are_names_among_texts_and_gaps_among_numbers(table):
    text = "car,doors\nNone,2\nBMW,NA\nNA,null\nnan,5\nBMW,4\nNA,4\nNone,2\n"
    data = table(text, missing=True)
    assert data.schema.columns == ("car=BMW", "car=NA", "car=None", "doors")
    assert data.x[:, 3].isnan().tolist() == [False, True, True, False, False, False, False]
    assert data.x[3, :3].isnan().all()
    assert data.schema.missing == 3


def test_texts_of_digits_are_read_as_the_model_knows_them(tmp_path):
    frame = pd.DataFrame({"code": ["01", "02", "01", "02"], "n": [1.5, 2, 3, 4]})
    known = xhat.data.open(frame)
    frame.to_csv(tmp_path / "x.csv", index=False)
    again = xhat.data.open(tmp_path / "x.csv", **known.schema.opening())
    assert again.schema.columns == ("code=01", "code=02", "n")
    np.testing.assert_array_equal(again.x, known.x)
