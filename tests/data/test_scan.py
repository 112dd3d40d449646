import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xhat.data import scan as module
from xhat.data.scan import Scan
from xhat.data.source import Source

VALUES = st.one_of(st.floats(-100, 100, width=32), st.just(np.nan))


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 6)  # two rows of three


@given(arrays(np.float32, st.tuples(st.integers(1, 9), st.just(3)), elements=VALUES))
def test_blocks_see_what_the_whole_shows(x):
    scan = Scan.of(x)
    nan = np.isnan(x)
    np.testing.assert_array_equal(scan.low, np.fmin.reduce(x, 0))
    np.testing.assert_array_equal(scan.high, np.fmax.reduce(x, 0))
    assert scan.missing == nan.sum()
    assert scan.first_missing == (tuple(np.argwhere(nan)[0]) if nan.any() else None)
    assert scan.first_infinite is None
    columns = [column[~np.isnan(column)] for column in x.T]
    assert scan.varies == any(len(set(column)) > 1 for column in columns)
    assert scan.unseen == next(((i,) for i, column in enumerate(columns) if not len(column)), None)


def test_finds_the_first_infinity_behind_the_first_block():
    x = np.zeros((9, 3))
    x[7, 2], x[8, 0] = -np.inf, np.inf
    assert Scan.of(x).first_infinite == (7, 2)


def test_reads_whole_numbers_and_any_order_of_axes():
    x = np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), dtype=np.uint8)
    scan = Scan.of(np.moveaxis(x, -1, 1))
    assert scan.low.shape == (3, 4, 5)
    np.testing.assert_array_equal(scan.high, x.max(0).transpose(2, 0, 1))
    assert scan.varies
    assert scan.unseen is None


def test_takes_rows_that_are_larger_than_a_block():
    x = np.arange(40.0).reshape(4, 10)
    assert Scan.of(x).high.tolist() == x[3].tolist()


@pytest.mark.parametrize("most", [1, 4])
def test_a_source_is_scanned_in_parts_of_at_most_so_many_rows(most, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 1000)

    class Counted(Source):
        name, shape, dtype, asked = "counted", (9, 2), np.dtype("float32"), 0

        def take(self, rows):
            self.asked = max(self.asked, len(rows))
            return np.stack([rows, -rows], 1).astype("float32")

    source = Counted()
    assert Scan.of(source, most=most).low.tolist() == [0, -8]
    assert source.asked == most
