"""Parquet on a disk equals Parquet in memory and the same table as text: numbers, gaps, categories, many files."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tiny
import torch
from pyarrow import parquet

import xhat
from xhat.core.errors import DataError
from xhat.core.files import read_json

LITTLE = "1MB"
N = 24_000


def frame():
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "width": random.normal(size=N).round(3),
            "height": random.normal(size=N).astype(np.float32),
            "count": random.integers(0, 9, N),
            "kind": random.integers(0, 3, N),
            "level": random.normal(100, 3, N).round(2),
            "depth": random.normal(size=N).round(3),
            "age": random.integers(18, 80, N),
        }
    )


def write(table, path, rows=500):
    parquet.write_table(pa.Table.from_pandas(table, preserve_index=False), path, row_group_size=rows)


def same(streamed, whole):
    assert (streamed.streams, whole.streams) == (True, False)
    assert streamed.schema == whole.schema
    order = streamed.blocks.order(torch.arange(len(whole)), 300, torch.Generator().manual_seed(0))
    batches = list(streamed.walk(order, 300))
    assert torch.equal(torch.cat([batch.x for batch in batches]).nan_to_num(7.5), whole.batch(order).x.nan_to_num(7.5))
    if whole.y is not None:
        assert torch.equal(torch.cat([batch.y for batch in batches]), whole.y[order])


def test_it_equals_the_table_in_memory_and_as_text(tmp_path):
    write(frame(), tmp_path / "rows.parquet")
    frame().to_csv(tmp_path / "rows.csv", index=False)
    streamed = xhat.data.open(tmp_path / "rows.parquet", memory=LITTLE, labels="kind")
    same(streamed, xhat.data.open(tmp_path / "rows.parquet", labels="kind"))
    text = xhat.data.open(tmp_path / "rows.csv", labels="kind")
    assert streamed.schema == text.schema
    assert torch.allclose(streamed.batch(torch.arange(50)).x, text.batch(torch.arange(50)).x, rtol=1e-6)


def test_gaps_in_whole_numbers_and_in_others_are_nan(tmp_path):
    table = frame().astype({"count": "Int64"})
    table.loc[[3, 700], "count"] = pd.NA
    table.loc[19_999, "width"] = np.nan
    write(table, tmp_path / "rows.parquet")
    options = {"missing": True}
    same(
        xhat.data.open(tmp_path / "rows.parquet", memory=LITTLE, **options),
        xhat.data.open(tmp_path / "rows.parquet", **options),
    )


def test_a_mixed_table_is_described_and_read_by_a_model(tmp_path):
    table = frame().assign(colour=np.array(["red", "green", "blue"])[frame()["kind"]])
    write(table, tmp_path / "rows.parquet", rows=1000)
    streamed, whole = (xhat.data.open(tmp_path / "rows.parquet", memory=memory) for memory in (LITTLE, None))
    assert streamed.schema.mixed
    same(streamed, whole)
    known = {"columns": whole.schema.mixed, "to_learn": False}
    same(xhat.data.open(tmp_path / "rows.parquet", memory=LITTLE, **known), whole)


def test_many_files_follow_one_another(tmp_path):
    for name, part in (("a", slice(0, 700)), ("b", slice(700, 701)), ("c", slice(701, N))):
        write(frame()[part], tmp_path / f"{name}.parquet")
    streamed, whole = (xhat.data.open(tmp_path, memory=memory) for memory in (LITTLE, None))
    same(streamed, whole)
    assert len(whole) == N


def test_unequal_and_broken_files_get_one_line(tmp_path):
    write(frame(), tmp_path / "a.parquet")
    write(frame().drop(columns="age"), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet: columns must be named and typed as in a\.parquet"):
        xhat.data.open(tmp_path, memory=LITTLE)
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(content[:-50])
    with pytest.raises(DataError, match=r"b\.parquet: cannot be read as a Parquet file"):
        xhat.data.open(tmp_path, memory=LITTLE)
    with pytest.raises(DataError, match=r"a\.parquet|a: has no column 'kinds' for labels.*kind"):
        xhat.data.open(tmp_path / "a.parquet", memory=LITTLE, labels="kinds")


def test_a_row_group_that_does_not_fit_says_how_to_write_it(tmp_path):
    write(frame(), tmp_path / "rows.parquet", rows=N)
    with pytest.raises(
        DataError, match=r"rows: row groups are read whole.*got 1\.3 MB\. Write it .* row_group_size=2232"
    ):
        xhat.data.open(tmp_path / "rows.parquet", memory=LITTLE)


def test_an_epoch_reads_each_row_group_once_or_twice(tmp_path, monkeypatch):
    write(frame(), tmp_path / "rows.parquet")
    data = xhat.data.open(tmp_path / "rows.parquet", memory=LITTLE)
    source, read = data.x.source, []
    whole = source._read
    monkeypatch.setattr(source, "_read", lambda file, group, names: read.append(group) or whole(file, group, names))
    order = data.blocks.order(torch.arange(N), 100, torch.Generator().manual_seed(0))
    assert sum(len(batch) for batch in data.walk(order, 100)) == N
    assert len(read) <= 2 * 48


def test_blocks_are_row_groups_where_files_cut_them_short(tmp_path, monkeypatch):
    for number in range(20):
        write(frame()[1100 * number : 1100 * (number + 1)], tmp_path / f"{number:02}.parquet")  # 500 + 500 + 100
    data = xhat.data.open(tmp_path, memory=LITTLE)
    assert data.blocks.block[:5] == (0, 500, 1000, 1100, 1600)
    source, read = data.x.source, []
    whole = source._read
    monkeypatch.setattr(source, "_read", lambda file, group, names: read.append(group) or whole(file, group, names))
    order = data.blocks.order(torch.arange(22_000), 100, torch.Generator().manual_seed(0))
    assert torch.equal(order.sort().values, torch.arange(22_000))
    windows = -(-22_000 // data.blocks.whole(100))
    assert sum(len(batch) for batch in data.walk(order, 100)) == 22_000
    assert len(read) < 60 + windows  # but for the ends of windows, which cut one


@pytest.mark.parametrize("memory", [LITTLE, None])
def test_a_run_on_uneven_row_groups_goes_on_as_it_began(tmp_path, memory):
    write(frame()[:700], tmp_path / "a.parquet")
    write(frame()[700:], tmp_path / "b.parquet")
    data = xhat.data.open(tmp_path, memory=LITTLE)
    short = {"epochs": 2, "batch_size": 1000, "device": "cpu", "latent": 2, "overrides": tiny.NARROW, "net": "mlp"}
    whole = xhat.fit(data, **short)
    begun = xhat.fit(data, out=tmp_path / "run", hooks=[tiny.CtrlC(25)], **short)
    assert begun.summary["status"] == "interrupted"
    assert read_json(tmp_path / "run" / "config.json")["origin"]["blocks"]["block"][:4] == [0, 500, 700, 1200]
    continued = xhat.resume(tmp_path / "run", data=xhat.data.open(tmp_path, memory=memory))
    for name, weight in whole.model.state_dict().items():
        torch.testing.assert_close(continued.model.state_dict()[name], weight, rtol=1e-4, atol=1e-5)


def test_row_groups_of_few_rows_share_a_block(tmp_path):
    for name, part in (("a", slice(0, 7003)), ("b", slice(7003, N))):
        write(frame()[part], tmp_path / f"{name}.parquet", rows=10)
    blocks = xhat.data.open(tmp_path, memory=LITTLE).blocks
    assert min(np.diff(blocks.block)) >= blocks.window // 64 > 10
    assert all(edge % 10 == 0 if edge <= 7003 else (edge - 7003) % 10 == 0 for edge in blocks.block)
