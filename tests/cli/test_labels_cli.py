"""Labels on the command line: a model of classes, from the fit to samples of one class."""

import numpy as np
import pytest
import tiny

import xhat
from xhat.cli import main


@pytest.fixture(scope="module")
def classes(tmp_path_factory, digits):
    path = tmp_path_factory.mktemp("runs") / "classes"
    assert main(["fit", str(digits), "--kind", "cvae", "--latent", "4", *tiny.FLAGS.split(), "--out", str(path)]) == 0
    return path


def test_rows_of_a_class(xhat_, classes):
    assert xhat_(f"sample 8 --model {classes} --label 3 --out threes.npy").out == "8 rows: threes.npy\n"
    np.testing.assert_array_equal(np.load("threes.npy"), xhat.load(classes).sample(8, label=3))


def test_codes_and_their_labels_go_together(xhat_, classes, digits):
    assert xhat_(f"encode {digits} --model {classes} --out codes.npy").status == 0
    codes, y = np.load("codes.npy"), tiny.data().y.numpy()
    np.savez("codes.npz", x=codes, y=y)
    copies = xhat.load(classes).reconstruct(tiny.data())
    assert xhat_(f"decode codes.npz --model {classes} --out copies.npy").status == 0
    np.testing.assert_allclose(np.load("copies.npy"), copies, atol=1e-4)
    assert xhat_(f"decode codes.npy --model {classes} --label 7 --out sevens.npy").status == 0
    np.testing.assert_allclose(np.load("sevens.npy")[y == 7], copies[y == 7], atol=1e-4)
    assert "labels are missing where they are needed" in xhat_(f"decode codes.npy --model {classes} --out no.npy").error


@pytest.mark.parametrize("label", ["10", "-1", "three"])
def test_a_class_that_is_not_there(xhat_, classes, label):
    error = xhat_(["sample", "2", "--model", str(classes), f"--label={label}", "--out", "no.npy"]).error
    assert error == f"sample: a label must be from 0 to 9, got {label}."


def test_a_model_without_classes(xhat_, run):
    error = xhat_(f"sample 2 --model {run} --label 3 --out no.npy").error
    assert error.startswith("sample: this model has no classes.")


def test_data_without_labels(xhat_, classes, tmp_path):
    np.save("rows.npy", tiny.rows())
    assert "labels are missing where they are needed" in xhat_(f"encode rows.npy --model {classes} --out c.npy").error
    error = xhat_(f"fit rows.npy --kind cvae {tiny.FLAGS} --out new").error
    assert error.startswith("recipes/cvae: needs a class for each row, got none. Give labels=, or --labels")
    assert not (tmp_path / "new").exists()
