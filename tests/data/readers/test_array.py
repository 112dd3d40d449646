import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

import xhat.data
from xhat.core.errors import DataError
from xhat.data.readers.array import as_numpy

ROWS = [[1.0, 2.0], [3.0, 5.0], [6.0, 7.0]]


@pytest.mark.parametrize(
    "source",
    [ROWS, tuple(map(tuple, ROWS)), np.array(ROWS), torch.tensor(ROWS), [torch.tensor(row) for row in ROWS]],
    ids=["lists", "tuples", "numpy", "torch", "list of tensors"],
)
def test_rows_are_rows(source):
    assert xhat.data.open(source).x.tolist() == ROWS


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int32])
def test_tensors_of_any_type(dtype):
    assert xhat.data.open(torch.tensor(ROWS, dtype=dtype)).x.tolist() == ROWS


def test_tensors_leave_their_graph_and_share_their_memory():
    x = torch.tensor(ROWS, requires_grad=True)
    data = xhat.data.open(x * 2)
    assert not data.x.requires_grad
    assert xhat.data.open(x).x.data_ptr() == x.data_ptr()
    assert xhat.data.open(torch.tensor(ROWS).to_sparse()).x.tolist() == ROWS


def test_what_a_mask_hides_is_missing():
    x = np.ma.masked_equal(np.array([[1, 2], [3, 9], [5, 6]]), 9)
    with pytest.raises(DataError, match="1 NaN, the first in row 1, column 1"):
        xhat.data.open(x)
    data = xhat.data.open(x, missing=True)
    assert data.schema.high == 6
    assert xhat.data.open(np.ma.masked_array(ROWS)).x.tolist() == ROWS


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([[1.0], [2.0, 3.0]], "cannot be read as an array, got list .*Rows must all have the same shape"),
        (csr_matrix(np.eye(3)), r"data must be dense, got csr_matrix\. Use its \.toarray\(\)"),
        (3.0, "data must have rows, got float"),
        (object(), "data must have rows, got object"),
        ([1.0, 2.0], "an axis of rows and at least one more"),
        ([[1, None], [2, 3]], "must be real numbers, got dtype object"),
        ([["a"], ["b"]], "must be real numbers, got dtype <U1"),
        (torch.ones(2, 2) * 1j, "must be real numbers, got dtype complex64"),
    ],
    ids=["ragged", "sparse", "number", "object", "flat", "gap", "texts", "complex"],
)
def test_refuses_what_is_no_array(source, message):
    with pytest.raises(DataError, match=message):
        xhat.data.open(source)


def test_bfloat16_becomes_float32():
    assert as_numpy(torch.ones(2, dtype=torch.bfloat16), "x").dtype == np.float32
