"""Masks, windows and tokens, as `open` takes them."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import xhat.data
from xhat.core.errors import ConfigError, DataError, ShapeError
from xhat.data import Dataset, Schema
from xhat.data.scaling import Scaling

RNG = np.random.default_rng(0)
X = RNG.normal(5, 2, size=(6, 4, 3))
MASK = np.arange(4) < np.array([4, 2, 1, 3, 4, 2])[:, None]


def spoiled(value=1e6):
    """Rows whose padding would show in any number that it entered."""
    x = X.copy()
    x[~MASK] = value
    return x


@pytest.mark.parametrize("value", [1e6, np.inf, np.nan])
def test_what_a_mask_hides_enters_no_number(value):
    x = spoiled(value)
    data = xhat.data.open(x, mask=MASK)
    assert (data.schema.low, data.schema.high, data.schema.missing) == (X[MASK].min(), X[MASK].max(), 0)
    assert (data.schema.kind, data.schema.padded) == ("series", True)
    for how in ("unit", "global", "standard"):
        scaling = Scaling.fit(how, data.x)
        assert torch.equal(scaling(data.x)[~data.mask], torch.zeros(int((~MASK).sum()), 3))
        by_hand = {"unit": np.ptp(X[MASK]), "global": 2.0, "standard": 2.0}[how]
        assert float(scaling.spread.max()) == pytest.approx(by_hand, rel=0.5)
    np.testing.assert_array_equal(x, spoiled(value))  # the caller's array stays as it was


def test_the_spread_of_all_counts_each_known_value_once():
    data = xhat.data.open(spoiled(), mask=MASK)
    centre = np.nanmean(np.where(MASK[..., None], X, np.nan), 0)
    by_hand = np.sqrt(((X - centre)[MASK] ** 2).mean())
    assert float(Scaling.fit("global", data.x).spread) == pytest.approx(by_hand, rel=1e-6)


def test_masks_go_with_their_rows():
    data = xhat.data.open(spoiled(), mask=MASK.astype(int))
    rows = torch.tensor([4, 1])
    for some in (data.batch(rows), data.subset(rows)):
        assert some.mask.tolist() == MASK[[4, 1]].tolist()
        assert torch.equal(some.x.isnan(), ~some.mask[..., None].expand(2, 4, 3))
    assert "padded" in repr(data)


def test_gaps_and_padding_are_told_apart():
    x = spoiled()
    x[0, 1, 2] = x[3, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"got 2 NaN, the first in row 0, entry \(1, 2\)"):
        xhat.data.open(x, mask=MASK)
    data = xhat.data.open(x, mask=MASK, missing=True)
    assert data.schema.missing == 2
    batch = data.batch(torch.arange(6))
    assert batch.mask.shape == (6, 4, 3)
    np.testing.assert_array_equal(batch.mask, MASK[..., None] & ~np.isnan(x))


def test_bytes_with_a_mask_are_series():
    x = RNG.integers(0, 256, (3, 4, 2), dtype=np.uint8)
    data = xhat.data.open(x, mask=np.tri(3, 4, 1, dtype=bool))
    assert (data.schema.kind, data.x.dtype) == ("series", torch.float32)


def test_padding_of_tokens_may_be_any_number():
    data = xhat.data.open(np.array([[1, 2, -1], [3, -1, -1]]), kind="tokens", mask=[[1, 1, 0], [1, 0, 0]])
    assert data.x.tolist() == [[1, 2, 0], [3, 0, 0]]
    assert len(data.schema.vocabulary) == 4


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (MASK[:, :3], ShapeError, r"^array: the mask of rows \(6, 4, 3\) must be of shape \(6, 4\), got \(6, 3\)"),
        (MASK[:5], ShapeError, r"must be of shape \(6, 4\), got \(5, 4\)"),
        (np.ones((6, 4, 3), bool), ShapeError, r"got \(6, 4, 3\)"),
        (MASK * 2, ConfigError, "a mask holds true and false, or 1 and 0, got int64"),
        (MASK * 0.5, ConfigError, "a mask holds true and false, or 1 and 0, got float64"),
        (MASK & (np.arange(6) != 3)[:, None], DataError, "every sequence needs a step, got none in row 3"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(mask, error, message):
    with pytest.raises(error, match=message):
        xhat.data.open(X, mask=mask)


def test_a_dataset_refuses_a_mask_of_another_shape():
    data = xhat.data.open(X)
    for mask in (torch.ones(6, 3, dtype=torch.bool), torch.ones(6, 4)):
        with pytest.raises(ShapeError, match=r"must be of shape \(6, 4\) and of bool"):
            Dataset(data.x, None, data.schema, mask)


@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 9), st.sampled_from([(), (2,)]))
def test_windows_are_slices_of_the_series_and_no_copies(steps, window, stride, variables):
    series = np.arange(steps * 2.0).reshape(steps, 2)[:, : len(variables) * 2 or 1].reshape(steps, *variables)
    if steps < window:
        with pytest.raises(DataError, match=f"a window of {window} steps needs a series of as many, got {steps}"):
            xhat.data.open(series, window=window, stride=stride)
        return
    data = xhat.data.open(series, window=window, stride=stride, to_learn=False)
    starts = range(0, steps - window + 1, stride)
    assert data.schema.shape == (window, *(variables or (1,)))
    expected = np.stack([series[start : start + window] for start in starts]).reshape(data.x.shape)
    np.testing.assert_array_equal(data.x, expected)
    assert data.x.data_ptr() == series.ctypes.data
    assert data.schema.stride == stride


def test_windows_lie_side_by_side_unless_told():
    data = xhat.data.open(np.arange(10), window=3)
    assert data.x[..., 0].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_files_are_cut_too_and_mapped_ones_stay_so(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(20.0).reshape(10, 2))
    data = xhat.data.open(tmp_path / "a.npy", window=4, stride=2)
    assert (len(data), data.schema.shape, data.x.stride()) == (4, (4, 2), (4, 2, 1))
    pd.DataFrame({"u": np.arange(10.0), "v": 1.0}).to_csv(tmp_path / "a.csv", index=False)
    data = xhat.data.open(tmp_path / "a.csv", window=5)
    assert (data.schema.kind, data.schema.shape, data.schema.columns) == ("series", (5, 2), ("u", "v"))


def test_whole_numbers_are_cut_as_tokens():
    data = xhat.data.open(np.array([0, 1, 2, 1, 0, 2, 2]), kind="tokens", window=3, stride=2)
    assert data.x.tolist() == [[0, 1, 2], [2, 1, 0], [0, 2, 2]]
    assert data.schema.vocabulary == ("0", "1", "2")


def test_rows_that_are_cut_already_come_as_they_are():
    assert xhat.data.open(X, window=4, kind="series").x.shape == (6, 4, 3)
    with pytest.raises(ConfigError, match=r"no use for window=3: the data has rows of its own, got shape \(6, 4, 3\)"):
        xhat.data.open(X, window=3)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (X, {"stride": 2}, r"^open: stride is for windows. Give window= \(--window\) too"),
        (X[:, 0, 0], {"window": 0}, "window must be >= 1, got 0"),
        (X[:, 0, 0], {"window": 2, "stride": 0}, "stride must be >= 1, got 0"),
        (X[:, 0, 0], {"window": 2, "mask": np.ones(6)}, "windows are cut from one series, which has no mask"),
        (X[:, 0, 0], {"window": 2, "length": 3}, "which has no mask and no length"),
        ("digits", {"window": 4}, "digits: rows of kind 'image' have no steps, thus no window. Leave out window"),
        (X[:, 0], {"kind": "table", "mask": MASK, "length": 9}, "thus no mask and no length"),
        (X, {"kind": "series", "vocabulary": ("a", "b")}, "has no use for a vocabulary"),
    ],
)
def test_options_that_would_do_nothing_are_refused(source, options, message):
    with pytest.raises(ConfigError, match=message):
        xhat.data.open(source, **options)


def test_labels_of_steps_are_none_of_windows():
    frame = pd.DataFrame({"u": np.arange(8.0), "y": 0})
    with pytest.raises(ConfigError, match="frame: labels of steps are none of windows"):
        xhat.data.open(frame, window=2, labels="y")
    assert xhat.data.open(np.arange(8.0), window=2, labels=[1, 0, 0, 1]).y.tolist() == [1, 0, 0, 1]


TOKENS = np.array([[0, 4, 1], [2, 2, 3]])


def test_whole_numbers_may_be_tokens():
    data = xhat.data.open(TOKENS, kind="tokens")
    schema = data.schema
    assert (schema.kind, schema.shape, schema.symbols) == ("tokens", (3,), "numbers")
    assert schema.vocabulary == ("0", "1", "2", "3", "4")
    assert (schema.low, schema.high) == (0.0, 4.0)
    assert data.x.data_ptr() == TOKENS.ctypes.data
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    assert repr(data) == "Dataset(array: 2 rows of tokens (3,), int64 in [0, 4], 5 symbols)"


def test_tokens_are_given_back_as_whole_numbers_and_read_as_text():
    schema = xhat.data.open(TOKENS, kind="tokens").schema
    rows = schema.to_source(np.array([[0.0, 4.2, 9.0]], np.float32))
    assert rows.tolist() == [[0, 4, 4]]
    assert rows.dtype == np.int64
    assert schema.text(rows) == ["0 4 4"]
    with pytest.raises(ConfigError, match="a table is no text"):
        xhat.data.open(X[:, 0]).schema.text(X[:, 0])


def test_a_vocabulary_that_is_given_bounds_tokens():
    fitted = xhat.data.open(TOKENS, kind="tokens").schema
    data = xhat.data.open(TOKENS[1:], vocabulary=fitted.vocabulary, to_learn=False)
    assert data.schema.vocabulary == fitted.vocabulary
    fitted.check(data.schema)
    with pytest.raises(
        DataError, match="the model reads 5 symbols; this data has 4 symbols, and they are not the same"
    ):
        fitted.check(xhat.data.open(TOKENS[1:], kind="tokens", to_learn=False).schema)
    message = "symbols must be among the vocabulary's 5, got 5 in row 1, step 2"
    with pytest.raises(DataError, match=message):
        xhat.data.open(np.array([[0, 1, 2], [3, 4, 5]]), kind="tokens", vocabulary=fitted.vocabulary)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (TOKENS.astype(float), "tokens must be whole numbers, got dtype float64.*kind='series'"),
        (TOKENS - 1, r"tokens must lie in 0 to 65535, got -1 in row 0, step 0"),
        (TOKENS * 100_000, "tokens must lie in 0 to 65535, got 400000 in row 0, step 1"),
        (TOKENS[0], "an axis of rows and at least one more"),
        (TOKENS[None], r"tokens have the shape \(N, T\), got shape \(1, 2, 3\)"),
        (TOKENS[:0], "needs at least 2 rows, got 0"),
    ],
)
def test_what_is_no_token_is_refused(x, message):
    with pytest.raises(DataError, match=message):
        xhat.data.open(x, kind="tokens")


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        (X, {}, {"kind": "series"}),
        (X, {"mask": MASK}, {"kind": "series", "length": 4}),
        (np.arange(9.0), {"window": 4, "stride": 2}, {"kind": "series", "window": 4, "stride": 2}),
        (TOKENS, {"kind": "tokens"}, {"kind": "tokens", "vocabulary": tuple("01234")}),
    ],
)
def test_a_schema_says_how_to_open_the_like(source, options, expected):
    schema = xhat.data.open(source, **options).schema
    assert schema.opening() == {"missing": False, "vocabulary": None} | expected
    schema.check(xhat.data.open(source, **schema.opening(), to_learn=False).schema)


def test_a_schema_written_before_there_were_sequences_is_read():
    schema = xhat.data.open(X).schema
    old = {k: v for k, v in schema.to_dict().items() if k not in ("padded", "stride", "symbols", "vocabulary")}
    assert Schema.from_dict(old) == schema


def test_real_heartbeats_as_rows_and_as_one_series(shared):
    rows = xhat.data.open(shared("ecg5000/ecg5000.npz"), kind="series")
    assert rows.schema.shape == (140, 1)
    one = xhat.data.open(rows.x.flatten(), window=140)
    assert torch.equal(one.x, rows.x)
    lengths = torch.randint(20, 141, (50,))
    padded = xhat.data.open([row[:n] for row, n in zip(rows.x[:50], lengths, strict=True)], length=140)
    assert padded.mask.sum(1).tolist() == lengths.tolist()
