import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import xhat.data
from xhat.core.errors import ConfigError, DataError

LENGTHS = st.lists(st.integers(1, 6), min_size=2, max_size=8).filter(lambda lengths: len(set(lengths)) > 1)


def sequences(*lengths, variables=(2,), dtype=np.float32):
    rng = np.random.default_rng(0)
    return [rng.normal(3, 9, size=(length, *variables)).astype(dtype) for length in lengths]


@given(LENGTHS, st.sampled_from([(), (1,), (3,)]))
def test_sequences_stand_at_their_rows_begins(lengths, variables):
    source = sequences(*lengths, variables=variables)
    data = xhat.data.open(source)
    schema = data.schema
    assert (schema.kind, schema.shape, schema.padded) == ("series", (max(lengths), *(variables or (1,))), True)
    assert data.mask.sum(1).tolist() == lengths
    for row, sequence in zip(schema.to_source(data.x.numpy()), source, strict=True):
        np.testing.assert_array_equal(row[: len(sequence)], sequence)
        assert np.isnan(row[len(sequence) :]).all()
    every = np.concatenate(source)
    assert (schema.low, schema.high, schema.missing) == (every.min(), every.max(), 0)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float16", "float64"])
def test_whole_numbers_come_exactly(dtype):
    source = sequences(3, 5, dtype=np.float64)
    source = [np.abs(sequence).astype(dtype) for sequence in source]
    data = xhat.data.open([source[0], torch.from_numpy(source[1])])
    np.testing.assert_array_equal(data.x[0, :3], source[0])
    np.testing.assert_array_equal(data.x[1], source[1])
    assert data.batch(torch.arange(2)).mask.tolist() == [[True] * 3 + [False] * 2, [True] * 5]


def test_tokens_of_unequal_length_are_padded_by_0():
    data = xhat.data.open([np.array([1, 2, 3]), np.array([4])], kind="tokens")
    assert data.x.tolist() == [[1, 2, 3], [4, 0, 0]]
    assert data.mask.tolist() == [[True] * 3, [True, False, False]]
    assert len(data.schema.vocabulary) == 5
    assert not data.x.is_floating_point()


def test_lists_of_plain_numbers_are_sequences_only_where_told():
    rows = [[1.0], [2.0, 3.0]]
    with pytest.raises(DataError, match="must all have the same shape; sequences of unequal length need kind='series'"):
        xhat.data.open(rows)
    assert xhat.data.open(rows, kind="series").mask.tolist() == [[True, False], [True, True]]


def test_equal_lengths_are_an_array_as_ever():
    data = xhat.data.open(sequences(4, 4))
    assert data.mask is None
    assert not data.schema.padded
    assert data.schema.shape == (4, 2)


def test_a_length_pads_further_and_arrays_too():
    assert xhat.data.open(sequences(2, 5), length=7).schema.shape == (7, 2)
    data = xhat.data.open(sequences(4, 4), length=6)
    assert data.mask.sum(1).tolist() == [4, 4]
    assert data.x[:, 4:].isnan().all()
    assert xhat.data.open(np.stack(sequences(4, 4)), length=4).mask is None


def test_labels_go_with_sequences():
    assert xhat.data.open(sequences(2, 3, 4), labels=["a", "b", "a"]).y.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        (sequences(3, 2, 0, 0), {}, DataError, "^list: every sequence needs a step, got none in row 2. Drop it"),
        ([[1, 2], [], [3]], {"kind": "series"}, DataError, "every sequence needs a step, got none in row 1"),
        ([*sequences(3, 4), *sequences(3, variables=(5,))], {}, DataError, r"of shape \(2,\), got \(5,\) in row 2"),
        (sequences(3, 9), {"length": 4}, DataError, "sequences must have at most 4 steps, got 9. Cut them"),
        (sequences(3, 9), {"length": 0}, ConfigError, "length must be >= 1, got 0"),
        (sequences(3, 9), {"mask": np.ones((2, 9), bool)}, ConfigError, "unequal length need no mask"),
        (sequences(3, 9), {"window": 2}, ConfigError, "windows are cut from one series, which has no mask"),
        (sequences(3, 9), {"kind": "table"}, DataError, "cannot be read as an array"),
        (sequences(3, 9), {"labels": "y"}, ConfigError, "has no use for labels='y'"),
        ([np.array(["a"]), np.array(["b", "c"])], {}, DataError, "must be real numbers"),
    ],
)
def test_refuses_in_a_line(source, options, error, message):
    with pytest.raises(error, match=message):
        xhat.data.open(source, **options)
