"""Rows on a disk equal rows in memory: whatever is asked of them, in one file or in many."""

import threading

import numpy as np
import pytest
import torch

import xhat
from xhat.core.errors import DataError
from xhat.data.ahead import ahead
from xhat.data.blocks import Blocks
from xhat.data.source import Source, runs
from xhat.data.sources.npy import NpyRows, mapped
from xhat.data.sources.pinned import PinnedRows

LITTLE = "1MB"
SHAPES = {
    "table": ((3000, 100), "float32", {}),
    "fine": ((1500, 100), "float64", {}),
    "bytes": ((1200, 32, 32), "uint8", {}),
    "colour": ((400, 32, 32, 3), "uint8", {}),
    "series": ((700, 50, 8), "float32", {}),
    "bits": ((12_000, 100), "bool", {}),
    "other order": ((3000, 100), ">f4", {}),
    "one variable": ((3000, 100), "float32", {"kind": "series"}),
}


def made(name):
    shape, dtype, options = SHAPES[name]
    rows = np.random.default_rng(0).normal(100, 50, shape).clip(0, 250)
    return (rows > 100 if dtype == "bool" else rows.astype(dtype)), options


def same(one, other):
    assert one.x.dtype == other.x.dtype
    assert torch.equal(one.x, other.x)


@pytest.mark.parametrize("name", SHAPES)
def test_a_streamed_file_equals_a_mapped_one(tmp_path, name):
    rows, options = made(name)
    np.save(tmp_path / "rows.npy", rows)
    streamed = xhat.data.open(tmp_path / "rows.npy", memory=LITTLE, **options)
    mapped = xhat.data.open(tmp_path / "rows.npy", **options)
    assert streamed.streams
    assert not mapped.streams
    assert streamed.schema == mapped.schema
    assert repr(streamed) == repr(mapped)[:-1] + ", streamed)"
    some = torch.tensor([5, 0, len(rows) - 1, 5, 17])
    same(streamed.batch(some), mapped.batch(some))
    order = torch.randperm(len(rows))
    for one, other in zip(streamed.walk(order, 64, 3), mapped.walk(order, 64, 3), strict=True):
        same(one, other)
    assert torch.equal(streamed.subset(some).resident, mapped.subset(some).resident)


@pytest.mark.parametrize("start", [0, 1, 5, 10_000])
def test_a_walk_may_begin_anywhere_and_gives_every_row_once(tmp_path, start):
    np.save(tmp_path / "rows.npy", np.arange(400_000.0).reshape(4000, 100))
    data = xhat.data.open(tmp_path / "rows.npy", memory=LITTLE)
    order = data.blocks.order(torch.arange(4000)[7:], 30, torch.Generator().manual_seed(0))
    came = [batch.x[:, 0] // 100 for batch in data.walk(order, 30, start)]
    assert torch.equal(torch.cat([*came, torch.empty(0)]), order[30 * start :].to(torch.float64))


def test_an_array_that_is_mapped_is_read_from_its_file(tmp_path):
    rows = made("table")[0]
    np.save(tmp_path / "rows.npy", rows)
    mapped_rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    data = xhat.data.open(mapped_rows, memory=LITTLE)
    assert data.streams
    some = torch.tensor([2000, 3])
    assert torch.equal(data.batch(some).x, torch.from_numpy(rows)[some])
    assert not xhat.data.open(mapped_rows).streams
    # A part begins elsewhere, and what is copied on write may differ from the file: both are left as they are.
    assert not xhat.data.open(mapped_rows[5:], memory=LITTLE).streams
    assert not xhat.data.open(np.load(tmp_path / "rows.npy", mmap_mode="c"), memory=LITTLE).streams


def test_labels_and_gaps_come_along(tmp_path):
    rows, labels = made("table")[0], np.arange(3000) % 5
    rows[7, 3] = np.nan
    np.save(tmp_path / "rows.npy", rows)
    data = xhat.data.open(tmp_path / "rows.npy", memory=LITTLE, missing=True, labels=labels)
    assert data.schema.missing == 1
    order = torch.arange(2999, -1, -1)
    batches = list(data.walk(order, 100))
    assert torch.equal(torch.cat([batch.y for batch in batches]), torch.from_numpy(labels[::-1].copy()))
    assert (~torch.cat([batch.mask for batch in batches])).nonzero().tolist() == [[2992, 3]]
    split = data.split(0.1)
    assert len(split.train) + len(split.validation) == 3000
    assert len(split.validation) <= data.blocks.sample


def test_shards_follow_one_another_in_the_order_of_their_names(tmp_path):
    rows = np.random.default_rng(0).normal(size=(3001, 100)).astype("float32")
    for name, part in zip("abc", np.split(rows, [1000, 1001]), strict=True):
        np.save(tmp_path / f"{name}.npy", part)
    streamed, whole = xhat.data.open(tmp_path, memory=LITTLE), xhat.data.open(tmp_path)
    assert (streamed.streams, whole.streams) == (True, False)
    assert torch.equal(whole.resident, torch.from_numpy(rows))
    order = torch.randperm(3001)
    assert torch.equal(torch.cat([b.x for b in streamed.walk(order, 100)]), whole.resident[order])


def test_broken_and_unequal_shards_get_one_line(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((100, 5)))
    np.save(tmp_path / "b.npy", np.zeros((100, 6)))
    with pytest.raises(DataError, match=r"b\.npy: rows must be of \(5,\) and float64, as in a\.npy, got \(6,\)"):
        xhat.data.open(tmp_path)
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "b.npy").write_bytes(whole[:-100])
    with pytest.raises(DataError, match=r"b\.npy: cannot be read as an \.npy file"):
        xhat.data.open(tmp_path)
    np.save(tmp_path / "b.npy", np.zeros((0, 5)))
    with pytest.raises(DataError, match=r"b\.npy: holds no rows"):
        xhat.data.open(tmp_path)
    np.save(tmp_path / "b.npy", np.asfortranarray(np.ones((100, 5))))
    with pytest.raises(DataError, match=r"b\.npy: rows must lie one after the other, got columns do\. Save it again"):
        xhat.data.open(tmp_path)


def test_a_file_that_is_cut_while_it_is_read_gets_one_line(tmp_path):
    np.save(tmp_path / "rows.npy", np.arange(400_000.0).reshape(4000, 100))
    data = xhat.data.open(tmp_path / "rows.npy", memory=LITTLE)
    with (tmp_path / "rows.npy").open("r+b") as file:
        file.truncate(1_000_000)
    with pytest.raises(DataError, match=r"rows\.npy: has become shorter since it was opened"):
        list(data.walk(torch.arange(4000), 100))


def test_what_cannot_be_streamed_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "rows.csv").write_text("1.5,2.5,3.5\n" * 100_000)
    with pytest.raises(
        DataError, match=r"rows\.csv: does not fit .* 1\.0 MB, .* got 1\.2 MB\. Write its parts .*\.parquet"
    ):
        xhat.data.open(tmp_path / "rows.csv", memory=LITTLE)


def test_what_needs_all_rows_at_once_says_so(tmp_path):
    np.save(tmp_path / "rows.npy", made("table")[0])
    data = xhat.data.open(tmp_path / "rows.npy", memory=LITTLE)
    with pytest.raises(DataError, match=r"rows: does not fit into memory, .*got 3000 rows that are streamed"):
        data.resident  # noqa: B018
    # Windows of a long series are views of a mapped file, which needs no memory either.
    assert not xhat.data.open(tmp_path / "rows.npy", memory=LITTLE, kind="series", window=10).streams


def test_gaps_infinities_and_constant_data_are_found_as_in_memory(tmp_path):
    for value, line in ((np.inf, "every value must be finite, got inf in row 2500, column 40"), (np.nan, "1 NaN")):
        rows = made("table")[0]
        rows[2500, 40] = value
        np.save(tmp_path / "rows.npy", rows)
        with pytest.raises(DataError, match=line):
            xhat.data.open(tmp_path / "rows.npy", memory=LITTLE)
    np.save(tmp_path / "rows.npy", np.ones((3000, 100)))
    with pytest.raises(DataError, match="constant data"):
        xhat.data.open(tmp_path / "rows.npy", memory=LITTLE)


def test_kept_rows_are_not_read_again():
    class Counted(Source):
        name, shape, dtype, read = "counted", (100, 2), np.dtype("float32"), 0

        def take(self, rows):
            self.read += len(rows)
            return np.stack([rows, -rows], 1).astype("float32")

    source = Counted()
    kept = PinnedRows(source, np.array([3, 50, 99]))
    assert source.read == 3
    assert kept.take(np.array([99, 3, 99])).tolist() == [[99, -99], [3, -3], [99, -99]]
    assert source.read == 3
    assert kept.take(np.array([99, 4])).tolist() == [[99, -99], [4, -4]]
    assert source.read == 5


def test_neighbours_are_read_together():
    assert [run.tolist() for run in runs(np.array([1, 2, 4, 90, 91]), 2)] == [[1, 2, 4], [90, 91]]
    assert runs(np.empty(0, np.int64), 2) == []


def test_reading_ahead_reads_one_part_beyond_and_in_order():
    read, gate = [], threading.Event()

    def slow(part):
        read.append(part)
        gate.wait(5)
        return part

    parts = ahead(slow, range(5))
    gate.set()
    assert next(parts) == 0
    parts.close()
    assert read == [0, 1]
    assert list(ahead(lambda part: part, range(5))) == list(range(5))
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda part: 1 / part, [1, 0]))


def test_windows_and_samples_fit_what_is_allowed(tmp_path):
    np.save(tmp_path / "rows.npy", np.zeros((10, 1000), np.float32))
    blocks = Blocks.of(NpyRows([mapped(tmp_path / "rows.npy")], "rows"), 10**8)
    assert blocks.window * 4000 <= 10**8 / 8
    assert blocks.sample * 4000 <= 10**8 / 16
    assert blocks.block * 64 <= blocks.window


def test_rows_that_are_drawn_do_not_follow_small_changes_of_what_is_free(tmp_path, monkeypatch):
    np.save(tmp_path / "rows.npy", made("table")[0])  # 1.2 MB
    blocks, drawn = [], []
    for free in (2_150_000, 2_390_000):
        monkeypatch.setattr("xhat.data.memory.free", lambda free=free: free)
        data = xhat.data.open(tmp_path / "rows.npy")
        blocks.append(data.blocks)
        drawn.append(data.split(0.1).validation)
    assert blocks[0] == blocks[1] == Blocks.of(data.x, 2**20)
    assert torch.equal(*drawn)
    # What somebody says counts as said.
    assert xhat.data.open(tmp_path / "rows.npy", memory=1_195_000).blocks == Blocks.of(data.x, 1_195_000) != blocks[0]


def test_a_window_has_room_for_what_is_read_in_one_go():
    class Grained(Source):
        name, shape, dtype, grain = "grained", (1000, 10), np.dtype("float32"), 300

        def take(self, rows):
            raise NotImplementedError

    # A group of 12 kB fits into an eighth of 100 kB, but not of the power of two below.
    assert Blocks.of(Grained(), 2**16).window == 300
