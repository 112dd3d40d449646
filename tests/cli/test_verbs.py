"""``encode``, ``decode``, ``reconstruct``, ``sample``: files in, files out."""

import numpy as np
import pandas as pd
import pytest
import tiny

import xhat


def read(path: str) -> np.ndarray:
    return np.asarray(xhat.data.open(path, to_learn=False).x, dtype=np.float32)


@pytest.mark.parametrize("suffix", ["npy", "npz", "parquet", "csv"])
def test_codes_go_out_and_rows_come_back_in_every_format(xhat_, run, model, digits, suffix):
    done = xhat_(f"encode {digits} --model {run} --out codes.{suffix}")
    assert (done.status, done.err) == (0, "")
    assert done.out == f"200 codes of 4 numbers: codes.{suffix}\n"
    codes = model.encode(tiny.rows())
    np.testing.assert_allclose(read(f"codes.{suffix}"), codes, rtol=1e-5, atol=1e-6)

    done = xhat_(f"decode codes.{suffix} --model {run} --out rows.npy")
    assert (done.status, done.out) == (0, "200 rows: rows.npy\n")
    np.testing.assert_allclose(np.load("rows.npy"), model.decode(codes), atol=1e-3)


def test_codes_of_a_grid_are_not_taken_for_images(xhat_, digits, tmp_path):
    overrides = {"net.widths": [4]}
    xhat.fit(tiny.data(), "ae", net="conv", code="spatial", latent=8, overrides=overrides, out="grid", **tiny.SHORT)
    fitted = xhat.load("grid")
    assert fitted.model.code_shape == (8, 4, 4)
    assert xhat_(f"encode {digits} --model grid --out codes.npy").status == 0
    assert xhat_("decode codes.npy --model grid --out rows.npy").status == 0
    np.testing.assert_allclose(np.load("rows.npy"), fitted.reconstruct(tiny.rows()), atol=1e-3)


@pytest.mark.parametrize("given", ["", "--device auto --precision auto"])
def test_codes_by_onnx_are_the_models(xhat_, run, model, digits, given):
    pytest.importorskip("onnxruntime", reason="onnxruntime is of the extra xhat[onnx]")
    assert xhat_(f"encode {digits} --model {run} --engine onnx --out codes.npy {given}").status == 0
    np.testing.assert_allclose(np.load("codes.npy"), model.encode(tiny.rows()), rtol=1e-4, atol=1e-5)
    done = xhat_(f"encode {digits} --model {run} --engine onnx --out no.npy --precision bf16")
    assert (done.status, "--engine onnx: computes on the processor in 32 bits" in done.err) == (2, True)


def test_columns_of_codes_have_names(xhat_, run, digits):
    xhat_(f"encode {digits} --model {run} --out codes.csv")
    assert list(pd.read_csv("codes.csv").columns) == ["z0", "z1", "z2", "z3"]


@pytest.mark.parametrize("suffix", ["npy", "npz", "parquet", "csv"])
def test_copies_in_every_format(xhat_, run, model, digits, suffix):
    done = xhat_(f"reconstruct {digits} --model {run} --out copies.{suffix}")
    copies = model.reconstruct(tiny.rows())
    error = ((copies.astype(np.float64) - tiny.rows()) ** 2).mean()
    assert done.out == f"200 rows, mean squared error {error:.6g} per element: copies.{suffix}\n"
    np.testing.assert_allclose(read(f"copies.{suffix}").reshape(200, 8, 8), copies, atol=1e-4)


def test_copies_and_samples_as_images(xhat_, run, model, digits, tmp_path):
    assert xhat_(f"reconstruct {digits} --model {run} --out copies").status == 0
    assert len(list((tmp_path / "copies").iterdir())) == 200
    assert xhat_(f"sample 12 --model {run} --out samples --seed 3").out == "12 rows: samples\n"
    expected = np.rint(np.clip(model.sample(12, seed=3), 0, 255)).astype(np.uint8)
    np.testing.assert_array_equal(xhat.data.open("samples").x[:, 0], expected)


def test_samples_follow_the_seed(xhat_, run, model):
    for seed, name in ((0, "a"), (0, "b"), (1, "c")):
        assert xhat_(f"sample 3 --model {run} --seed {seed} --out {name}.npy").status == 0
    a, b, c = (np.load(f"{name}.npy") for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert np.array_equal(a, model.sample(3))


def test_one_row_is_enough_for_a_fitted_model(xhat_, run, model):
    np.save("one.npy", tiny.rows()[:1])
    assert xhat_(f"encode one.npy --model {run} --out codes.npy").out == "1 codes of 4 numbers: codes.npy\n"
    np.testing.assert_allclose(np.load("codes.npy"), model.encode(tiny.rows()[:1]), atol=1e-5)
    assert xhat_(f"decode codes.npy --model {run} --out rows.npy").status == 0


def test_a_built_in_name_is_data_too(xhat_, run):
    assert xhat_(f"encode digits --model {run} --out codes.npy").out.startswith("1797 codes")


def test_codes_that_are_not_of_the_model_are_refused(xhat_, run, tmp_path):
    np.save("codes.npy", np.ones((3, 5)))
    assert xhat_(f"decode codes.npy --model {run} --out rows.npy").error.startswith(
        "decode: codes must be of shape (n, 4) with n >= 1, got (3, 5)."
    )
    assert not (tmp_path / "rows.npy").exists()


@pytest.mark.parametrize("command", ["encode DATA", "decode DATA", "reconstruct DATA", "sample 3"])
@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("rows.txt", "--out: must end in .npy, .npz, .parquet, .csv, got 'rows.txt'."),
        ("file/rows.npy", "--out: must lie in a folder that can be written to"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(xhat_, run, digits, tmp_path, command, out, says):
    (tmp_path / "file").write_text("mine")
    error = xhat_(f"{command.replace('DATA', str(digits))} --model {run} --out {out}").error
    assert error.startswith(says)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_codes_are_no_images(xhat_, run, digits):
    assert "only images can be written to a folder" in xhat_(f"encode {digits} --model {run} --out codes").error
    assert "n must be >= 1, got 0" in xhat_(f"sample 0 --model {run} --out rows.npy").error


def test_rows_of_a_mixed_table_come_as_frames_and_under_conditions(xhat_, tmp_path):
    pets = pd.DataFrame({"age": range(20, 60), "pet": ["dog", "cat"] * 20, "own": [True, False, False, True] * 10})
    pets.to_csv(tmp_path / "pets.csv", index=False)
    assert xhat_("fit pets.csv --kind vae --epochs 2 --latent 2 --out pets").status == 0
    assert xhat_("sample 6 --model pets --out drawn.parquet --where pet=cat --where age=30").status == 0
    drawn = pd.read_parquet(tmp_path / "drawn.parquet")
    assert drawn.dtypes.equals(pets.dtypes)
    assert (drawn["pet"] == "cat").all()
    assert (drawn["age"] == 30).all()
    assert "--where: must be COLUMN=VALUE, got 'pet'" in xhat_("sample 6 --model pets --out a.csv --where pet").error
    assert "must end in .parquet, .csv, got 'a.npy'" in xhat_("sample 6 --model pets --out a.npy").error
    assert "numbers standardised" in xhat_("reconstruct pets.csv --model pets --out copies.csv").out
    assert pd.read_csv(tmp_path / "copies.csv").dtypes.equals(pets.dtypes)


def test_codes_and_copies_of_fewer_bits_say_what_that_costs(xhat_, run, digits):
    done = xhat_(f"encode {digits} --key x --model {run} --out coarse.npy --precision bf16")
    assert "in bf16: off by " in done.out
    assert done.out.endswith("% of their spread from those in 32, on 200 rows\n")
    exact = xhat_(f"encode {digits} --key x --model {run} --out exact.npy")
    assert "bf16" not in exact.out
    assert not np.array_equal(np.load("coarse.npy"), np.load("exact.npy"))
    copied = xhat_(f"reconstruct {digits} --key x --model {run} --out copies.npy --precision bf16")
    error = np.square(np.load("copies.npy") - np.load(digits)["x"]).mean()
    assert f"mean squared error {error:.6g} per element" in copied.out
