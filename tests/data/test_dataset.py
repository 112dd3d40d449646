import numpy as np
import pytest
import torch

import xhat.data
from xhat.core.errors import ShapeError
from xhat.data import Dataset

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float16", "float32"])
def test_batches_of_what_32_bits_hold_are_float32(dtype):
    x = np.arange(12).reshape(4, 3).astype(dtype)
    data = xhat.data.open(x)
    assert data.schema.dtype == dtype
    batch = data.batch(torch.tensor([2, 0]))
    assert batch.x.dtype == torch.float32
    np.testing.assert_array_equal(batch.x, x[[2, 0]].astype(np.float32))
    assert batch.mask is None
    assert batch.y is None


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64", "float64"])
def test_batches_of_what_32_bits_would_round_keep_each_number(dtype):
    x = (1_700_000_001 + np.arange(12)).reshape(4, 3).astype(dtype)
    batch = xhat.data.open(x).batch(torch.tensor([2, 0]))
    assert batch.x.dtype == torch.float64
    np.testing.assert_array_equal(batch.x, x[[2, 0]])


def test_batches_of_tokens_are_float32_whatever_counts_them():
    tokens = xhat.data.open(np.array([[0, 1, 2], [2, 1, 0]]), kind="tokens")
    assert tokens.batch(torch.arange(2)).x.dtype == torch.float32


def test_bytes_stay_bytes():
    x = RNG.integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    batch = xhat.data.open(x).batch(torch.tensor([4, 1]))
    assert batch.x.dtype == torch.uint8
    assert batch.x.is_contiguous()
    np.testing.assert_array_equal(batch.x, x[[4, 1]].transpose(0, 3, 1, 2))


def test_the_mask_shows_what_was_observed_and_gaps_stay_nan():
    x = RNG.normal(size=(6, 3))
    x[2, 1] = np.nan
    data = xhat.data.open(x, missing=True)
    batch = data.batch(torch.tensor([2, 3]))
    assert batch.mask.tolist() == [[True, False, True], [True, True, True]]
    assert batch.x[0, 1].isnan()
    # A batch without gaps has a mask as well: batches of one dataset are alike.
    assert data.batch(torch.tensor([0])).mask.all()


def test_labels_follow_their_rows():
    data = xhat.data.open(RNG.normal(size=(5, 2)), labels=np.arange(5) * 10)
    assert data.batch(torch.tensor([3, 1])).y.tolist() == [30, 10]
    subset = data.subset(torch.tensor([3, 1]))
    assert len(subset) == 2
    assert subset.y.tolist() == [30, 10]
    assert torch.equal(subset.x, data.x[[3, 1]])
    assert subset.schema == data.schema


def test_splits_its_rows():
    data = xhat.data.open(RNG.normal(size=(50, 2)))
    split = data.split(0.2, seed=1)
    assert (len(split.train), len(split.validation)) == (40, 10)
    assert torch.equal(split.train, data.split(0.2, seed=1).train)


def test_says_what_it_holds():
    data = xhat.data.open(np.array([[0, 1], [2, np.nan]]), labels=[0, 1], missing=True, name="tiny")
    assert repr(data) == "Dataset(tiny: 2 rows of table (2,), float64 in [0, 2], 1 missing, labelled)"


def test_refuses_what_the_schema_does_not_say():
    data = xhat.data.open(RNG.normal(size=(5, 2)))
    with pytest.raises(ShapeError, match=r"schema's shape \(2,\), got \(3,\)"):
        Dataset(torch.zeros(5, 3), None, data.schema)
    with pytest.raises(ShapeError, match="each of the 5 rows needs a label, got 4"):
        Dataset(torch.zeros(5, 2), torch.zeros(4), data.schema)
