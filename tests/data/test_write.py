import errno
import os
import stat

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import xhat
from xhat.core.errors import ArtifactError, ConfigError
from xhat.data.write import check_writable, write

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(5, 3)).astype(np.float32)


def schema(x, **options):
    return xhat.data.open(x, **options).schema


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["rows.npy", "rows.npz", "rows.parquet", "rows.csv", "ROWS.NPY"])
def test_rows_are_read_back_as_they_were_written(tmp_path, name):
    write(ROWS, tmp_path / "deep" / name)
    np.testing.assert_array_equal(xhat.data.open(tmp_path / "deep" / name).x.float(), ROWS)
    assert names(tmp_path / "deep") == [name]


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_arrays_keep_their_shape(tmp_path, suffix):
    rows = RNG.normal(size=(4, 2, 3, 3)).astype(np.float32)
    write(rows, tmp_path / f"rows.{suffix}")
    np.testing.assert_array_equal(xhat.data.open(tmp_path / f"rows.{suffix}", kind="array").x, rows)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_have_a_column_an_element(tmp_path, suffix):
    path, read = tmp_path / f"rows.{suffix}", {"csv": pd.read_csv, "parquet": pd.read_parquet}[suffix]
    write(ROWS.reshape(5, 3, 1), path, prefix="z")
    assert list(read(path).columns) == ["z0", "z1", "z2"]
    named = schema(pd.DataFrame(ROWS, columns=["a", "b", "c"]))
    write(ROWS, path, schema=named)  # what lay there is replaced
    assert list(read(path).columns) == ["a", "b", "c"]
    np.testing.assert_allclose(read(path).to_numpy(), ROWS, rtol=1e-6)


@pytest.mark.parametrize("layout", ["hw", "hwc", "chw", "hw1"])
def test_images_are_read_back_as_they_were_written(tmp_path, layout):
    x = RNG.integers(0, 256, (12, 4, 5, 3)).astype(np.uint8)
    x = {"hw": x[..., 0], "hwc": x, "chw": np.moveaxis(x, -1, 1), "hw1": x[..., :1]}[layout]
    write(x.astype(np.float32), tmp_path / "images", schema=schema(x))
    assert names(tmp_path / "images") == [f"{i:02}.png" for i in range(12)]  # their order is their names'
    again = xhat.data.open(tmp_path / "images")
    np.testing.assert_array_equal(again.x, xhat.data.open(x).x)


def test_values_beyond_the_range_are_cut_not_wrapped(tmp_path):
    x = np.stack([np.full((2, 2), value) for value in (-50.0, 0.4, 127.6, 300.0)])
    bytes_ = schema(RNG.integers(0, 256, (4, 2, 2)).astype(np.uint8))
    write(x, tmp_path / "images", schema=bytes_)
    assert [np.asarray(Image.open(path))[0, 0] for path in sorted((tmp_path / "images").iterdir())] == [0, 0, 128, 255]


def test_other_ranges_are_spread_over_black_to_white(tmp_path):
    x = np.linspace(-1, 1, 4 * 9).reshape(4, 3, 3)
    write(x, tmp_path / "images", schema=schema(x, kind="image"))
    pixels = np.stack([np.asarray(Image.open(path)) for path in sorted((tmp_path / "images").iterdir())])
    np.testing.assert_allclose(pixels / 127.5 - 1, x, atol=1 / 127)


IMAGES = RNG.integers(0, 256, (3, 4, 4)).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "image", "message"),
    [
        ("codes.txt", True, r"--out: must end in \.npy, \.npz, \.parquet, \.csv, got 'codes\.txt'\. As codes\.npy\."),
        ("codes", False, "--out: only images can be written to a folder"),
        ("full", True, "--out: a folder for images must be new or empty"),
        ("file", True, "--out: a folder for images must be new or empty"),
        ("folder.npy", True, "--out: must be a file, got the folder"),
        ("file/codes.npy", True, "--out: must lie in a folder that can be written to"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_before_any_work(tmp_path, name, image, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder.npy").mkdir()
    of = schema(IMAGES) if image else None
    for refuse in (lambda path: check_writable(path, of), lambda path: write(IMAGES, path, schema=of)):
        with pytest.raises(ConfigError, match=message):
            refuse(tmp_path / name)
    assert (tmp_path / "full" / "notes.txt").read_text() == (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_closed_folder_is_refused(tmp_path):
    (tmp_path / "closed").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(ConfigError, match="must lie in a folder that can be written to"):
        check_writable(tmp_path / "closed" / "rows.npy")


def full_after(writes: int):
    """A disk with room for so many files."""
    left = [writes]

    def fsync(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    return fsync


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    write(ROWS, tmp_path / "rows.npy")
    monkeypatch.setattr(os, "fsync", full_after(0))
    with pytest.raises(ArtifactError, match=r"rows\.npy: cannot be written \(No space left on device\)"):
        write(ROWS + 1, tmp_path / "rows.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), ROWS)
    assert names(tmp_path) == ["rows.npy"]


def test_of_images_either_all_are_written_or_none(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_after(2))
    with pytest.raises(ArtifactError, match=r"2\.png: cannot be written"):
        write(IMAGES, tmp_path / "images", schema=schema(IMAGES))
    assert names(tmp_path) == []


TEXT = "to be, or not to be:\nthat is the question, é?\n" * 3


@pytest.mark.parametrize("symbols", ["characters", "bytes"])
def test_windows_side_by_side_are_written_as_one_text(tmp_path, symbols):
    (tmp_path / "a.txt").write_text(TEXT, newline="")
    data = xhat.data.open(tmp_path / "a.txt", kind="text", window=10, symbols=symbols)
    write(data.x.numpy().astype(np.float32), tmp_path / "b.txt", schema=data.schema)
    whole = TEXT.encode() if symbols == "bytes" else TEXT
    whole = whole[: 10 * len(data)]
    assert (tmp_path / "b.txt").read_bytes() == (whole if symbols == "bytes" else whole.encode())
    again = xhat.data.open(tmp_path / "b.txt", **data.schema.opening())
    assert again.x.tolist() == data.x.tolist()
    data.schema.check(again.schema)


def test_other_tokens_are_written_a_line_each(tmp_path):
    (tmp_path / "a.txt").write_text("abcdefgh")
    data = xhat.data.open(tmp_path / "a.txt", kind="text", window=4, stride=2)
    write(data.x.numpy(), tmp_path / "b.txt", schema=data.schema)
    assert (tmp_path / "b.txt").read_text() == "abcd\ncdef\nefgh\n"
    numbers = np.array([[0, 1, 12], [3, 0, 0]])
    write(numbers, tmp_path / "c.txt", schema=schema(numbers, kind="tokens"))
    assert (tmp_path / "c.txt").read_text() == "0 1 12\n3 0 0\n"
    np.testing.assert_array_equal(xhat.data.open(tmp_path / "c.txt", kind="tokens").x, numbers)


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv", "parquet"])
def test_tokens_are_written_as_numbers_where_the_ending_says_so(tmp_path, suffix):
    (tmp_path / "a.txt").write_text(TEXT)
    data = xhat.data.open(tmp_path / "a.txt", kind="text", window=10)
    write(data.x.numpy(), tmp_path / f"b.{suffix}", schema=data.schema)
    again = xhat.data.open(tmp_path / f"b.{suffix}", **data.schema.opening(), to_learn=False)
    assert again.x.tolist() == data.x.tolist()
    data.schema.check(again.schema)


def test_only_tokens_are_written_as_text(tmp_path):
    with pytest.raises(ConfigError, match=r"--out: must end in \.npy, \.npz, \.parquet, \.csv, got 'x\.txt'"):
        write(ROWS, tmp_path / "x.txt", schema=schema(ROWS))
