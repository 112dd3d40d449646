import numpy as np
import pytest
import torch

import xhat.data
from xhat.core.errors import ConfigError, DataError, MissingFileError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4))


def test_a_dataset_comes_back_as_it_is():
    data = xhat.data.open(X)
    assert xhat.data.open(data) is data
    assert xhat.data.open(data, missing=True) is data
    with pytest.raises(ConfigError, match="a Dataset is already open, got kind, name"):
        xhat.data.open(data, kind="array", name="x")


def test_paths_may_be_texts_and_suffixes_capitals(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    (tmp_path / "rows.npy").rename(tmp_path / "ROWS.NPY")
    for path in (tmp_path / "ROWS.NPY", str(tmp_path / "ROWS.NPY")):
        assert xhat.data.open(path).schema.name == "ROWS"


def test_the_name_may_be_given():
    assert xhat.data.open(X).schema.name == "array"
    assert xhat.data.open(X, name="mine").schema.name == "mine"
    with pytest.raises(DataError, match=r"^mine: "):
        xhat.data.open(X[:1], name="mine")


@pytest.mark.parametrize("labels", [[0, 1, 0, 1, 0, 2], torch.tensor([0, 1, 0, 1, 0, 2]), np.array([0, 1, 0, 1, 0, 2])])
def test_labels_may_be_given(labels):
    assert xhat.data.open(X, labels=labels).y.tolist() == [0, 1, 0, 1, 0, 2]


def test_given_labels_replace_the_file_s(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=np.zeros(6))
    data = xhat.data.open(tmp_path / "a.npz", labels=["a", "b"] * 3)
    assert data.y.tolist() == [0, 1] * 3
    assert data.schema.labels == ("a", "b")


def test_built_in_names_come_before_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert len(xhat.data.open("digits")) == 1797
    with pytest.raises(DataError, match="the folder holds no images"):
        xhat.data.open("./digits")


def test_a_near_file_is_suggested(tmp_path):
    np.save(tmp_path / "faces.npy", X)
    with pytest.raises(MissingFileError, match=r"there is no '.*face\.npy'\. Did you mean '.*faces\.npy'\?$"):
        xhat.data.open(tmp_path / "face.npy")
    with pytest.raises(MissingFileError, match="Look into"):
        xhat.data.open(tmp_path / "zzz.csv")
    with pytest.raises(MissingFileError, match=r"There is no folder '.*nowhere' either"):
        xhat.data.open(tmp_path / "nowhere" / "x.npy")


def test_a_near_built_in_name_is_suggested(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFileError, match=r"there is no 'digit'. Did you mean 'digits'"):
        xhat.data.open("digit")
    with pytest.raises(MissingFileError, match=r"there is no 'xyz'.*built-in data: curves, digits, sprites"):
        xhat.data.open("xyz")


def test_missing_files_are_missing_to_python_as_well(tmp_path):
    with pytest.raises(FileNotFoundError):
        xhat.data.open(tmp_path / "x.npy")


def test_unknown_suffixes_and_empty_files_are_refused(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"x")
    with pytest.raises(
        DataError, match=r"cannot read files that end in '\.xlsx'\. Give \.csv, \.npy, \.npz, \.parquet"
    ):
        xhat.data.open(tmp_path / "a.xlsx")
    for name in ("a.csv", "a.npy", "a.npz", "a.parquet"):
        (tmp_path / name).touch()
        with pytest.raises(DataError, match=rf"^{name}: the file is empty, got 0 bytes"):
            xhat.data.open(tmp_path / name)


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ({"key": "x"}, "array of an .npz file"),
        ({"labels": "y"}, "give the labels themselves as an array"),
        ({"size": (2, 2)}, "folders of images"),
        ({"mode": "L"}, "folders of images"),
    ],
)
@pytest.mark.parametrize("source", [X, "digits", "rows.npy"], ids=["array", "digits", "npy"])
def test_options_that_would_do_nothing_are_refused(source, option, hint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("rows.npy", X)
    with pytest.raises(ConfigError, match=f"has no use for {next(iter(option))}=.*{hint}"):
        xhat.data.open(source, **option)


@pytest.mark.parametrize(
    ("name", "options", "rows", "shape", "kind", "classes"),
    [
        ("mnist/mnist.npz", {}, 60_000, (1, 28, 28), "image", 10),
        ("mnist/mnist.npz", {"key": "x_test"}, 10_000, (1, 28, 28), "image", 10),
        ("cifar10-subset/cifar10-subset.npz", {}, 6000, (3, 32, 32), "image", 10),
        ("adbench/6_cardio.npz", {}, 1831, (21,), "table", 2),
        ("freyfaces/freyfaces.npz", {}, 1965, (1, 28, 20), "image", None),
        ("ecg5000/ecg5000.npz", {"labels": "anomaly", "kind": "series"}, 5000, (140, 1), "series", 2),
        ("tabular/banknote_authentication.csv", {"labels": "c4"}, 1372, (4,), "table", 2),
        ("tabular/winequality-red.csv", {}, 1599, (12,), "table", None),
        ("tabular/concrete.txt", {}, 1030, (9,), "table", None),
        ("restoration/train/Train400_gray180", {}, 400, (1, 180, 180), "image", None),
        ("restoration/test/Set5", {"size": (64, 48)}, 5, (3, 64, 48), "image", None),
    ],
)
def test_real_data_open(shared, name, options, rows, shape, kind, classes):
    data = xhat.data.open(shared(name), **options)
    assert (len(data), data.schema.shape, data.schema.kind) == (rows, shape, kind)
    assert (None if data.y is None else len(data.y.unique())) == classes


def test_real_columns_of_texts_are_categories(shared):
    with pytest.raises(DataError, match="no value may be missing, got 4262 NaN, the first in row 14, column 'c13'"):
        xhat.data.open(shared("tabular/adult-train.csv"))
    data = xhat.data.open(shared("tabular/adult-train.csv"), missing=True)
    assert data.schema.shape == (107,)
    # The test file ends its labels by a full stop.
    with pytest.raises(DataError, match=r"column 'c14' must hold one of <=50K, >50K, got '<=50K\.' in row 0"):
        xhat.data.open(shared("tabular/adult-test.csv"), **data.schema.opening(), to_learn=False)
