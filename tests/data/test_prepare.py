import numpy as np
import pytest
import torch

from xhat.core.errors import DataError
from xhat.data.prepare import prepare
from xhat.data.raw import Raw

RNG = np.random.default_rng(0)


def table(**at):
    x = RNG.normal(size=(5, 3))
    x[3, 1] = at.get("value", 0.0)
    return x


def test_describes_a_table():
    x = np.array([[1.0, np.nan], [4.0, -2.0]])
    data = prepare(Raw(x, "t", columns=("a", "b"), labels=np.array(["u", "v"])), missing=True)
    schema = data.schema
    assert (schema.kind, schema.shape, schema.dtype, schema.layout) == ("table", (2,), "float64", "")
    assert (schema.low, schema.high, schema.missing) == (-2.0, 4.0, 1)
    assert (schema.columns, schema.labels, schema.name) == (("a", "b"), ("u", "v"), "t")
    assert data.x.dtype == torch.float64
    assert data.y.tolist() == [0, 1]


def test_images_are_seen_channels_first_and_written_as_they_came():
    x = RNG.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)
    data = prepare(Raw(x, "i"))
    assert data.schema.shape == (3, 5, 6)
    assert data.schema.layout == "hwc"
    np.testing.assert_array_equal(data.schema.to_source(data.x.numpy()), x)


@pytest.mark.parametrize("transpose", [False, True])
def test_memory_is_shared(transpose):
    x = RNG.normal(size=(4, 5, 6, 3)).astype(np.float32)
    x = x.swapaxes(1, 2) if transpose else x
    assert prepare(Raw(x, "i")).x.data_ptr() == x.ctypes.data


def test_the_source_s_kind_counts_unless_another_is_asked():
    raw = Raw(RNG.normal(size=(3, 4, 5)), "x", kind="image")
    assert prepare(raw).schema.shape == (1, 4, 5)
    assert prepare(raw, kind="series").schema.shape == (4, 5)


def test_truth_values_become_bytes():
    data = prepare(Raw(np.array([[True, False], [False, False]]), "b"))
    assert data.x.tolist() == [[1, 0], [0, 0]]
    assert data.x.dtype == torch.uint8
    assert data.schema.dtype == "bool"


@pytest.mark.parametrize(
    "x",
    [
        np.arange(6.0).reshape(3, 2)[::-1],
        np.arange(6).reshape(3, 2).astype(">i4"),
        np.zeros(3, [("pad", "i1"), ("x", "f8", (2,))])["x"] + np.arange(3)[:, None],
        np.array([(0, [1, 2]), (0, [3, 4])], np.dtype([("pad", "i1"), ("x", "f8", (2,))]))["x"],
        np.broadcast_to(np.arange(3.0)[:, None], (3, 4)),
    ],
    ids=["backward", "byte order", "sum", "odd strides", "read-only"],
)
def test_any_memory_will_do(x):
    np.testing.assert_array_equal(prepare(Raw(x, "x")).x.numpy(), x)


def test_constant_columns_are_fine_while_one_varies():
    x = np.ones((4, 3))
    x[2, 1] = 2
    assert prepare(Raw(x, "x")).schema.high == 2


def test_a_pixel_may_never_be_seen_but_a_column_must():
    x = RNG.normal(size=(4, 2, 2))
    x[:, 0, 1] = np.nan
    assert prepare(Raw(x, "x", kind="image"), missing=True).schema.missing == 4
    rows = x.reshape(4, 4)
    with pytest.raises(DataError, match="every column needs a value in some row, got none in column 1"):
        prepare(Raw(rows, "x"), missing=True)
    with pytest.raises(DataError, match=r"none in column 'b'. Drop it"):
        prepare(Raw(rows, "x", columns=tuple("abcd")), missing=True)


@pytest.mark.parametrize(
    ("x", "missing", "message"),
    [
        (np.zeros((0, 3)), False, "needs at least 2 rows, got 0"),
        (np.zeros((1, 3)), False, "needs at least 2 rows, got 1"),
        (np.zeros((4, 0)), False, r"rows must not be empty, got shape \(4, 0\)"),
        (np.full((4, 3), 7), False, "some value must differ between rows, got constant data.*nothing to learn"),
        (np.tile([1.0, 2.0], (4, 1)), False, "some value must differ"),
        (np.array([[1.0, np.nan], [1.0, 2.0]]), True, "some value must differ"),
        (table(value=np.nan), False, r"may be missing, got 1 NaN, the first in row 3, column 1\. .*--missing"),
        (table(value=np.inf), True, "every value must be finite, got inf in row 3, column 1"),
        (table(value=-np.inf), False, "every value must be finite, got inf in row 3, column 1"),
        (table(value=1e300), False, r"must fit 32-bit floats, got 1e\+300"),
        (np.ones((3, 2)) * 1j, False, "must be real numbers, got dtype complex128. Split it"),
        (np.array([[1, None], [2, 3]], object), False, "must be real numbers, got dtype object"),
        (np.array([["a", "b"], ["c", "d"]]), False, "must be real numbers, got dtype <U1"),
        (np.array([["2020-01-01"]] * 3, "M8[D]"), False, r"must be real numbers, got dtype datetime64\[D\]"),
        (np.ones((3, 2), np.longdouble), False, "must be real numbers, got dtype"),
    ],
)
def test_refuses_what_cannot_be_learned_from(x, missing, message):
    with pytest.raises(DataError, match=f"^source: .*{message}"):
        prepare(Raw(x, "source"), missing=missing)


def test_places_are_named_by_their_column_or_their_axes():
    with pytest.raises(DataError, match="in row 3, column 'b'"):
        prepare(Raw(table(value=np.nan), "x", columns=("a", "b", "c")))
    x = RNG.normal(size=(4, 2, 3))
    x[1, 0, 2] = np.nan
    with pytest.raises(DataError, match=r"in row 1, entry \(0, 0, 2\)"):
        prepare(Raw(x, "x", kind="image"))
