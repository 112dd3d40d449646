import pandas as pd
import pytest

import xhat.data
from xhat.core.errors import DataError


def test_reads_columns_and_labels(tmp_path):
    frame = pd.DataFrame({"a": [1.0, None, 3.0], "b": [4, 5, 6], "pet": ["dog", "cat", "dog"]}, index=[7, 8, 9])
    frame.to_parquet(tmp_path / "pets.parquet")
    data = xhat.data.open(tmp_path / "pets.parquet", labels="pet", missing=True)
    assert data.schema.columns == ("a", "b")
    assert data.schema.missing == 1
    assert data.x[2].tolist() == [3, 6]
    assert data.y.tolist() == [1, 0, 1]
    assert data.schema.name == "pets"


def test_refuses_texts_and_other_files(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": [1, 2, 3], "pet": ["dog", "cat", "ant"]}).to_parquet(path)
    with pytest.raises(DataError, match="column 'pet' must hold numbers or categories that repeat"):
        xhat.data.open(path)
    path.write_text("no parquet")
    with pytest.raises(DataError, match=r"^x.parquet: cannot be read as a Parquet file"):
        xhat.data.open(path)
