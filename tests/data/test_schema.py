import json
from dataclasses import replace

import numpy as np
import pytest

from xhat.core.errors import ArtifactError, DataError, ShapeError
from xhat.data import Schema

TABLE = Schema("table", (3,), "float64", -1.5, 2.0, columns=("a", "b", "c"), missing=2, labels=("no", "yes"), name="t")
IMAGE = Schema("image", (3, 4, 5), "uint8", 0.0, 255.0, layout="hwc")


@pytest.mark.parametrize("schema", [TABLE, IMAGE])
def test_comes_back_from_json(schema):
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


def test_reading_is_strict():
    with pytest.raises(ArtifactError, match=r"does not know every key, got colour\..*another version"):
        Schema.from_dict(IMAGE.to_dict() | {"colour": "red"})
    description = IMAGE.to_dict()
    del description["low"], description["kind"]
    with pytest.raises(ArtifactError, match="needs the keys kind, low"):
        Schema.from_dict(description)


def test_source_gets_its_axes_back_and_its_values_unrounded():
    rows = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    source = IMAGE.to_source(rows)
    assert source.shape == (2, 4, 5, 3)
    assert source.dtype == np.float32
    np.testing.assert_array_equal(source[..., 1], rows[:, 1])


def test_source_refuses_rows_of_another_shape():
    with pytest.raises(ShapeError, match=r"rows must be of \(3, 4, 5\), got \(4, 5, 3\)"):
        IMAGE.to_source(np.zeros((2, 4, 5, 3)))


def test_check_accepts_the_like():
    TABLE.check(replace(TABLE, low=-9.0, missing=0, name="other"))
    TABLE.check(replace(TABLE, columns=None))


def test_check_names_both_shapes():
    mnist = replace(IMAGE, shape=(1, 28, 28))
    with pytest.raises(DataError, match=r"reads rows of \(1, 28, 28\); this data has rows of \(3,\)"):
        mnist.check(TABLE)
    with pytest.raises(DataError, match=r"rows of \(784,\)\. Reshape the rows\."):
        mnist.check(replace(TABLE, shape=(784,)))


def test_check_names_the_first_column_that_differs():
    with pytest.raises(DataError, match="reads column 'b' at place 1; this data has 'c' there"):
        TABLE.check(replace(TABLE, columns=("a", "c", "b")))
